"""Every format on its way through the gateway: who is asked, with what, and what is refused.

What chats do beyond that is in test_endpoints.
"""

from pathlib import Path

import attrs
import orjson
import pytest

from kt.exchange import Dialect
from kt.plan import Plan
from kt.policy import Action, Phase
from tests.support.asgi import Response, ask
from tests.support.formats import (
    SPOKEN,
    Spoken,
    event,
    item,
    message_stream,
    output_text,
    response,
    text_block,
)
from tests.support.gateways import (
    error_of,
    frames,
    gateway,
    run_in_virtual_time,
    say,
    text_of_stream,
)
from tests.support.plans import condition, plan, record_step, scan_step, target
from tests.support.upstreams import Body, FakeProvider, json_answer, stream_answer

MAIL = r"[a-z]+@[a-z]+\.com"
ASKED = scan_step("mail", MAIL, phase=Phase.INPUT)
ANSWERED = scan_step("mail", MAIL)
by_speaker = pytest.mark.parametrize("spoken", SPOKEN.values(), ids=SPOKEN)


def exchange(
    the_plan: Plan,
    provider: FakeProvider,
    spoken: Spoken,
    text: str = "hello",
    headers: dict[str, str] | None = None,
    **more: object,
) -> Response:
    """One request and its answer."""
    answers: list[Response] = []

    async def main() -> None:
        async with gateway(the_plan, provider) as app:
            answers.append(await say(app, spoken, text, headers, **more))

    run_in_virtual_time(main)
    return answers[0]


def whole(spoken: Spoken, text: str = "hi") -> FakeProvider:
    return FakeProvider(lambda _: json_answer(spoken.answer(text)))


@by_speaker
def test_a_request_that_nobody_edits_goes_on_byte_for_byte(spoken: Spoken) -> None:
    provider = whole(spoken)
    answer = exchange(plan(ASKED, ANSWERED), provider, spoken)
    assert provider.asked[0].content == orjson.dumps({"model": "m", **spoken.ask("hello")})
    assert provider.asked[0].url.path == spoken.format.path
    assert answer.body == orjson.dumps(spoken.answer("hi"))


@by_speaker
def test_a_target_puts_its_model_in_place(spoken: Spoken) -> None:
    provider = whole(spoken)
    named = plan(ASKED, targets=(target(model="theirs"),))
    exchange(named, provider, spoken, "to ann@example.com")
    sent = {"model": "theirs", **spoken.ask("to [MAIL]")}
    assert provider.asked[0].content == orjson.dumps(sent)


@by_speaker
def test_an_event_that_nobody_edits_goes_on_byte_for_byte(spoken: Spoken) -> None:
    wire = spoken.stream(["hello ", "there ", "you "])
    provider = FakeProvider(lambda _: stream_answer(Body([wire])))
    assert exchange(plan(ANSWERED), provider, spoken, stream=True).body == wire


@by_speaker
def test_an_answer_without_its_end_is_a_cut(spoken: Spoken) -> None:
    *_, last = (one for one in spoken.stream(["hello "]).split(b"\n\n") if one)
    wire = spoken.stream(["hello "]).removesuffix(last + b"\n\n")
    provider = FakeProvider(lambda _: stream_answer(Body([wire])))
    answer = exchange(plan(ANSWERED), provider, spoken, stream=True)
    assert error_of(answer.body)["code"] == "upstream_cut"
    assert answer.is_complete


@by_speaker
def test_a_providers_error_in_a_stream_is_passed_on_and_ends_it(spoken: Spoken) -> None:
    failure = event("error", error={"message": "overloaded"})
    wire = spoken.stream(["hello "])
    cut = wire[: wire.index(b"hello ")].rpartition(b"\n\n")[0] + b"\n\n"
    provider = FakeProvider(lambda _: stream_answer(Body([cut + failure, wire])))
    answer = exchange(plan(ANSWERED), provider, spoken, stream=True)
    assert answer.body.endswith(failure)
    assert b"hello" not in answer.body


@by_speaker
def test_a_refusal_is_in_the_clients_envelope(spoken: Spoken) -> None:
    blocking = scan_step("stop", "secret", action=Action.BLOCK, phase=Phase.INPUT)
    answer = exchange(plan(blocking), whole(spoken), spoken, "the secret")
    value = orjson.loads(answer.body)
    assert (answer.status, value["error"]["code"]) == (409, "input_blocked")
    assert answer.headers["x-should-retry"] == "false"
    assert ("type" in value) is (spoken.format.dialect is Dialect.ANTHROPIC)


# ---- Who is asked


def targets() -> Plan:
    """One target of each sort."""
    spoken = [("open", Dialect.OPENAI), ("anth", Dialect.ANTHROPIC)]
    made = [attrs.evolve(target(name, f"http://{name}"), format=one) for name, one in spoken]
    return plan(targets=tuple(made))


@by_speaker
def test_a_target_that_speaks_another_format_is_not_asked(spoken: Spoken) -> None:
    provider = whole(spoken)
    exchange(targets(), provider, spoken)
    is_anthropic = spoken.format.dialect is Dialect.ANTHROPIC
    assert [one.url.host for one in provider.asked] == ["anth" if is_anthropic else "open"]


@by_speaker
def test_a_path_that_no_target_speaks_is_not_found(spoken: Spoken) -> None:
    others = {Dialect.OPENAI: Dialect.ANTHROPIC, Dialect.ANTHROPIC: Dialect.OPENAI}
    other = attrs.evolve(target(), format=others[spoken.format.dialect])
    provider = whole(spoken)
    answer = exchange(plan(targets=(other,)), provider, spoken)
    assert (answer.status, orjson.loads(answer.body)["error"]["code"]) == (404, "no_target")
    assert provider.asked == []


@pytest.mark.parametrize(
    ("given", "version"), [({}, "2023-06-01"), ({"anthropic-version": "2030-01-01"}, "2030-01-01")]
)
def test_anthropics_version_is_the_clients_else_the_known_one(
    given: dict[str, str], version: str
) -> None:
    spoken = SPOKEN["messages"]
    provider = whole(spoken)
    headers = {**given, "anthropic-beta": "b", "x-api-key": "mine", "openai-beta": "o"}
    exchange(plan(), provider, spoken, headers=headers)
    sent = provider.asked[0].headers
    assert (sent["anthropic-version"], sent["anthropic-beta"]) == (version, "b")
    assert not {"x-api-key", "openai-beta"} & set(sent)


# ---- Token numbers


@pytest.mark.parametrize(
    ("path", "name"), [("/v1/embeddings", "input"), ("/v1/completions", "prompt")]
)
def test_token_numbers_are_refused_where_a_policy_acts_on_the_request(path: str, name: str) -> None:
    flags = scan_step("flag", MAIL, action=Action.FLAG, phase=Phase.INPUT)
    elsewhere = attrs.evolve(ASKED, when=condition('request.model == "other"'))
    body = orjson.dumps({"model": "m", name: [1, 2, 3]})
    assert answer_of(plan(ASKED), path, body) == (422, "tokens_not_readable")
    for lenient in (plan(), plan(flags), plan(ANSWERED), plan(elsewhere)):
        assert answer_of(lenient, path, body) == (200, None)


def answer_of(the_plan: Plan, path: str, body: bytes) -> tuple[int, str | None]:
    """Status and code of what a request gets."""
    answers: list[Response] = []
    provider = FakeProvider(lambda _: json_answer({"object": "list", "data": []}))

    async def main() -> None:
        async with gateway(the_plan, provider) as app:
            answers.append(await ask(app, "POST", path, [], body))

    run_in_virtual_time(main)
    value = orjson.loads(answers[0].body)
    return answers[0].status, value.get("error", {}).get("code")


def test_an_embedding_is_never_streamed() -> None:
    provider = FakeProvider(lambda _: stream_answer(Body([b"data: {}\n\n"])))
    answers: list[Response] = []

    async def main() -> None:
        async with gateway(plan(), provider) as app:
            for body in (b'{"model":"m","input":"x"}', b'{"model":"m","input":"x","stream":true}'):
                answers.append(await ask(app, "POST", "/v1/embeddings", [], body))  # noqa: PERF401

    run_in_virtual_time(main)
    codes = [orjson.loads(one.body)["error"]["code"] for one in answers]
    assert codes == ["bad_response", "invalid_shape"]


# ---- Streams


def test_a_failed_response_is_judged_and_recorded_as_the_providers_failure() -> None:
    spoken = SPOKEN["responses"]
    failed = response(status="failed", error={"code": "server_error", "message": "to a@b.com"})
    provider = FakeProvider(
        lambda _: stream_answer(Body([event("response.failed", response=failed)]))
    )
    answer = exchange(plan(ANSWERED), provider, spoken, stream=True)
    (data,) = frames(answer.body)
    assert orjson.loads(data)["response"]["error"]["message"] == "to [MAIL]"


def test_an_error_frame_of_a_response_counts_on() -> None:
    spoken = SPOKEN["responses"]
    blocking = scan_step("stop", "secret", action=Action.BLOCK)
    provider = FakeProvider(lambda _: stream_answer(Body([spoken.stream(["ok ", "secret"])])))
    answer = exchange(plan(blocking), provider, spoken, stream=True)
    *_, before, last = (orjson.loads(one) for one in frames(answer.body))
    assert (last["type"], last["code"]) == ("error", "output_blocked")
    assert last["sequence_number"] > before["sequence_number"]


def test_blocks_are_judged_apart_and_their_rest_comes_before_their_end() -> None:
    spoken = SPOKEN["messages"]
    wire = message_stream(text_block(["to ann@", "acme.com"]), text_block(["bob@", "acme"], 1))
    provider = FakeProvider(lambda _: stream_answer(Body([wire])))
    answer = exchange(plan(ANSWERED), provider, spoken, stream=True)
    assert text_of_stream(spoken, answer.body) == "to [MAIL]bob@acme"
    kinds = [orjson.loads(one) for one in frames(answer.body)]
    seen = [(one["type"], one.get("index")) for one in kinds if "index" in one]
    assert seen[-2:] == [("content_block_delta", 1), ("content_block_stop", 1)]


def test_text_after_the_end_of_its_block_is_a_bad_answer() -> None:
    spoken = SPOKEN["messages"]
    wire = message_stream(text_block(["a "]), text_block(["b "]))
    provider = FakeProvider(lambda _: stream_answer(Body([wire])))
    answer = exchange(plan(ANSWERED), provider, spoken, stream=True)
    assert error_of(answer.body)["code"] == "bad_response"


def test_a_citation_of_a_streamed_response_goes_where_rules_act() -> None:
    spoken = SPOKEN["responses"]
    noted = event("response.output_text.annotation.added", annotation={"url": "https://x"})
    first, second = spoken.stream(["hello "]).split(b"event: response.output_text.done")
    wire = first + noted + b"event: response.output_text.done" + second
    provider = FakeProvider(lambda _: stream_answer(Body([wire])))
    assert b"https://x" not in exchange(plan(ANSWERED), provider, spoken, stream=True).body
    assert exchange(plan(), provider, spoken, stream=True).body == wire


def test_a_repeated_finding_is_recorded_once(tmp_path: Path) -> None:
    spoken = SPOKEN["responses"]
    provider = FakeProvider(lambda _: stream_answer(Body([spoken.stream(["to ann@acme.com"])])))
    log = tmp_path / "audit.jsonl"

    async def main() -> None:
        async with gateway(plan(ANSWERED, record_step()), provider, log) as app:
            await say(app, spoken, "hello", stream=True)

    run_in_virtual_time(main)
    (line,) = log.read_bytes().splitlines()
    (spans,) = (one["spans"] for one in orjson.loads(line)["policies"])
    assert spans == [len("ann@acme.com")]


def test_a_text_that_only_a_repetition_says_is_recorded(tmp_path: Path) -> None:
    spoken = SPOKEN["responses"]
    said = item(output_text("to ann@acme.com"))
    wire = event("response.output_item.done", output_index=0, item=said)
    wire += event("response.completed", response=response(said))
    provider = FakeProvider(lambda _: stream_answer(Body([wire])))
    log = tmp_path / "audit.jsonl"
    bodies: list[bytes] = []

    async def main() -> None:
        async with gateway(plan(ANSWERED, record_step()), provider, log) as app:
            bodies.append((await say(app, spoken, "hello", stream=True)).body)

    run_in_virtual_time(main)
    (line,) = map(orjson.loads, log.read_bytes().splitlines())
    assert line["policies"][0]["spans"] == [len("ann@acme.com")]
    assert (b"acme" in bodies[0], bodies[0].count(b"to [MAIL]")) == (False, 2)
