"""Whole chats from the client to the provider and back: what each of them gets, byte for byte."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import httpx
import orjson
import pytest
import trio
from trio.testing import MockClock

from kt.exchange import Segment
from kt.plan import Plan
from kt.policy import ALLOW, Action, Phase, Verdict
from kt.runtime.app import App
from kt.runtime.engine import BoundStep
from kt.runtime.gateway import GatewayOptions, built
from tests.support.asgi import Response, asgi_request, ask
from tests.support.gateways import chat, chat_body, gateway, run_in_virtual_time
from tests.support.plans import plan, record_step, scan_step, target
from tests.support.upstreams import (
    Body,
    FakeProvider,
    chunk,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

PATH = "/v1/chat/completions"
MAIL = r"[a-z]+@[a-z]+\.com"


def with_app(
    test: Callable[[App], Awaitable[None]], the_plan: Plan, provider: httpx.AsyncBaseTransport
) -> None:
    """Run an async test with an app."""

    async def main() -> None:
        async with gateway(the_plan, provider) as app:
            await test(app)

    run_in_virtual_time(main)


def post(
    provider: httpx.AsyncBaseTransport,
    the_plan: Plan | None = None,
    body: bytes | None = None,
    **headers: str,
) -> Response:
    """Send one chat; what the client gets."""
    answers: list[Response] = []

    async def test(app: App) -> None:
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        answers.append(await ask(app, "POST", PATH, pairs, body or chat_body("hello")))
        assert (app.endpoints.gate.running, app.endpoints.gate._buffered) == (0, 0)

    with_app(test, the_plan or plan(), provider)
    return answers[0]


def says(text: str, **message: object) -> FakeProvider:
    """A provider that says this."""
    return FakeProvider(lambda _: json_answer(completion(text, **message)))


def raw_answer(body: bytes, status: int = 200, **headers: str) -> FakeProvider:
    """A provider that answers with these bytes."""
    pairs = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return FakeProvider(lambda _: httpx.Response(status, headers=pairs, stream=Body([body])))


def code_of(answer: Response) -> str:
    """The code of an error answer."""
    return str(orjson.loads(answer.body)["error"]["code"])


# ---- Bytes


def test_an_untouched_request_and_answer_keep_every_byte() -> None:
    sent = (
        b'{ "model" : "m",\n"messages":[{"role":"user","content":"\\u0068i \xc3\xa9"}],"x":1e2 }\n'
    )
    told = b'{"choices" :[ {"index":0,"message":{"content":"h\\u0069"}} ], "n": 1.50}\n\n'
    provider = raw_answer(told)
    answer = post(
        provider, plan(scan_step("a", MAIL), scan_step("b", MAIL, phase=Phase.INPUT)), sent
    )
    assert provider.asked[0].content == sent
    assert answer.body == told
    assert answer.headers["content-length"] == str(len(told))


def test_the_model_of_a_target_replaces_that_of_the_request_in_place() -> None:
    sent = b'{"messages":[{"role":"user","content":"model m"}], "model" :"m" ,"n":1}'
    provider = says("hi")
    post(provider, plan(targets=(target(model="gpt-x"),)), sent)
    assert provider.asked[0].content == sent.replace(b':"m"', b':"gpt-x"')


def test_a_request_is_redacted_in_place() -> None:
    sent = b'{"model":"m", "messages":[ {"role":"user","content":"to ann@acme.com\\n"} ] }'
    provider = says("hi")
    answer = post(provider, plan(scan_step("mail", MAIL, phase=Phase.INPUT)), sent)
    assert provider.asked[0].content == sent.replace(b"ann@acme.com", b"[MAIL]")
    assert answer.headers["x-keeptrusts-verdict"] == "redact"


def test_an_answer_is_redacted_in_place_and_loses_its_log_probabilities() -> None:
    told = (
        b'{"choices": [{"index":0,"logprobs" : {"content":[{"token":"ann@acme.com"}]},'
        b'"message":{"content":"to ann@acme.com"}}], "id":"7"}'
    )
    answer = post(raw_answer(told), plan(scan_step("mail", MAIL)))
    assert answer.body == (
        b'{"choices": [{"index":0,"logprobs" : null,"message":{"content":"to [MAIL]"}}], "id":"7"}'
    )
    assert answer.headers["x-keeptrusts-verdict"] == "redact"


def test_tool_arguments_of_an_answer_are_read_decoded() -> None:
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "send", "arguments": '{"to": "ann\\u0040acme.com", "n": 1.0}'},
    }
    answer = post(says("", tool_calls=[call]), plan(scan_step("mail", MAIL)))
    message = orjson.loads(answer.body)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == '{"to": "[MAIL]", "n": 1.0}'


@pytest.mark.parametrize("lane", ["content", "refusal", "reasoning_content", "unheard_of"])
def test_a_block_in_any_text_of_an_answer_is_a_plain_refusal(lane: str) -> None:
    answer = post(
        says("fine", **{lane: "my secret"}), plan(scan_step("p", "secret", action=Action.BLOCK))
    )
    assert (answer.status, code_of(answer)) == (409, "output_blocked")
    assert b"my secret" not in answer.body


# ---- Headers


def test_a_provider_sees_few_of_the_headers_and_never_a_key_of_the_client() -> None:
    provider = says("hi")
    post(
        provider,
        authorization="Bearer client",
        cookie="a=b",
        x_api_key="client",
        api_key="client",
        openai_organization="org",
        openai_project="proj",
        openai_beta="b=1",
        x_user_id="ann",
        accept_encoding="gzip",
    )
    headers = provider.asked[0].headers
    assert headers["openai-organization"] == "org"
    assert headers["openai-project"] == "proj"
    assert headers["openai-beta"] == "b=1"
    assert headers["accept-encoding"] == "identity"
    assert not {"authorization", "cookie", "x-api-key", "api-key", "x-user-id"} & set(headers)


def test_a_forwarded_header_outside_of_ascii_harms_nobody() -> None:
    provider = says("hi")
    assert post(provider, openai_project="pröj").status == 200


def test_rate_limit_headers_come_back_and_others_do_not() -> None:
    provider = raw_answer(
        orjson.dumps(completion("hi")),
        X_RateLimit_Remaining="7",
        retry_after="3",
        set_cookie="a=b",
        server="x",
    )
    headers = post(provider).headers
    assert (headers["x-ratelimit-remaining"], headers["retry-after"]) == ("7", "3")
    assert not {"set-cookie", "server"} & set(headers)


# ---- Targets


@attrs.define
class ByHost(httpx.AsyncBaseTransport):
    """One provider per host."""

    providers: dict[str, FakeProvider]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the one that is meant."""
        return await self.providers[request.url.host].handle_async_request(request)


def two_targets(**more: object) -> Plan:
    """A plan with two targets, in order."""
    targets = (target("a", "http://a", model="model-a"), target("b", "http://b"))
    return plan(targets=targets, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "first",
    [
        FakeProvider(lambda _: json_answer(0), refuses=True),
        FakeProvider(lambda _: json_answer(0), connect_seconds=100),
    ],
)
def test_a_target_without_a_connection_is_followed_by_the_next(first: FakeProvider) -> None:
    second = says("from b")
    answer = post(ByHost({"a": first, "b": second}), two_targets())
    assert answer.status == 200
    assert first.asked == []
    assert orjson.loads(second.asked[0].content)["model"] == "m"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _: json_answer({}, 500), "upstream_5xx"),
        (lambda _: json_answer({}, 503), "upstream_5xx"),
        (lambda _: json_answer({}, 302), "upstream_5xx"),
        (lambda _: json_answer({}, 401), "upstream_auth"),
        (lambda _: httpx.Response(200, stream=Body([b"{"], is_cut=True)), "upstream_cut"),
    ],
)
def test_nobody_else_is_asked_once_something_was_sent(
    answer: Callable[[httpx.Request], httpx.Response], code: str
) -> None:
    first, second = FakeProvider(answer), says("no")
    refused = post(ByHost({"a": first, "b": second}), two_targets())
    assert (refused.status, code_of(refused)) == (502, code)
    assert (len(first.asked), len(second.asked)) == (1, 0)


def test_a_refusal_after_several_targets_says_not_to_try_again() -> None:
    gone = FakeProvider(lambda _: json_answer(0), refuses=True)
    several = post(ByHost({"a": gone, "b": gone}), two_targets())
    assert (several.status, code_of(several)) == (502, "connect_failed")
    assert several.headers["x-should-retry"] == "false"
    assert "x-should-retry" not in post(gone).headers


def test_without_any_usable_target_the_answer_is_a_bad_gateway(tmp_path: Path) -> None:
    options = GatewayOptions(
        host="",
        port=0,
        log=lambda _: None,
        audit_path=tmp_path / "unused",
        gateway_id="test",
        unavailable=frozenset({"openai"}),
    )

    async def main() -> None:
        async with built(plan(), options) as app:
            answer = await chat(app, "hello")
            assert (answer.status, code_of(answer)) == (502, "upstream_auth")

    run_in_virtual_time(main)


# ---- What providers answer


@pytest.mark.parametrize("status", [401, 403])
def test_a_provider_that_refuses_our_key_is_not_quoted(status: int) -> None:
    body = Body([b'{"error": "key sk-abc is wrong"}'])
    provider = FakeProvider(lambda _: httpx.Response(status, stream=body))
    answer = post(provider)
    assert (answer.status, code_of(answer)) == (502, "upstream_auth")
    assert answer.headers["x-should-retry"] == "false"
    assert b"sk-abc" not in answer.body
    assert body.is_closed


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429])
def test_another_4xx_passes_unchanged(status: int) -> None:
    told = b'{"error":{"message" : "no such model"}}\n'
    provider = raw_answer(
        told, status, retry_after="9", retry_after_ms="9000", x_ratelimit_reset="1s"
    )
    answer = post(provider)
    assert (answer.status, answer.body) == (status, told)
    assert answer.headers["retry-after"] == "9"
    assert answer.headers["retry-after-ms"] == "9000"
    assert answer.headers["x-ratelimit-reset"] == "1s"


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/json; é€中"])
def test_a_4xx_keeps_its_content_type(content_type: str) -> None:
    provider = FakeProvider(
        lambda _: httpx.Response(
            400, headers=[(b"content-type", content_type.encode())], stream=Body([b"no"])
        )
    )
    answer = post(provider)
    assert (answer.status, answer.headers["content-type"]) == (400, content_type)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>", b'{"a":' * 200, b'{"choices":[{"message":{"content":"\xff"}}]}']
)
def test_an_answer_that_is_not_json_is_a_bad_response(body: bytes) -> None:
    answer = post(raw_answer(body))
    assert (answer.status, code_of(answer)) == (502, "bad_response")


@pytest.mark.parametrize("status", [200, 400])
def test_an_encoded_answer_is_a_bad_response_and_its_connection_is_closed(status: int) -> None:
    body = Body([b"\x1f\x8b"])
    provider = FakeProvider(
        lambda _: httpx.Response(status, headers={"content-encoding": "gzip"}, stream=body)
    )
    answer = post(provider)
    assert (answer.status, code_of(answer)) == (502, "bad_response")
    assert body.is_closed


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_an_answer_that_says_it_is_not_encoded_is_fine(encoding: str) -> None:
    answer = post(raw_answer(orjson.dumps(completion("hi")), content_encoding=encoding))
    assert answer.status == 200


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_above_the_limit_is_a_bad_response(status: int) -> None:
    body = Body([b" " * 100] * 1000)
    provider = FakeProvider(lambda _: httpx.Response(status, stream=body))
    answer = post(provider, plan(response_body=1000))
    assert (answer.status, code_of(answer)) == (502, "bad_response")
    assert (body.is_closed, body.is_exhausted) == (True, False)


def test_a_provider_that_hangs_up_without_an_answer_is_a_bad_response() -> None:
    def hang_up(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")

    answer = post(FakeProvider(hang_up))
    assert (answer.status, code_of(answer)) == (502, "bad_response")


def test_a_stream_that_nobody_asked_for_is_judged_as_one() -> None:
    provider = FakeProvider(lambda _: stream_answer(Body([streamed(["ann@ac", "me.com"])])))
    answer = post(provider, plan(scan_step("mail", MAIL)))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b"[MAIL]" in answer.body
    assert b"ann@" not in answer.body


def test_a_media_type_may_be_written_in_any_case() -> None:
    headers = {"content-type": "Text/Event-Stream"}
    provider = FakeProvider(
        lambda _: httpx.Response(200, headers=headers, stream=Body([streamed(["hi"])]))
    )
    assert post(provider).status == 200


def test_a_whole_answer_to_a_request_for_a_stream_is_judged_whole() -> None:
    provider = says("to ann@acme.com")
    answer = post(provider, plan(scan_step("mail", MAIL)), chat_body("hi", stream=True))
    assert answer.headers["content-type"] == "application/json"
    assert orjson.loads(answer.body)["choices"][0]["message"]["content"] == "to [MAIL]"


# ---- Time


def test_a_check_that_ends_after_the_deadline_leaves_one_proper_answer() -> None:
    """The deadline has passed when the answer is about to be sent: it must not be half sent."""

    def slow(segments: tuple[Segment, ...], is_over: Callable[[], bool]) -> Verdict:
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, MockClock)
        clock.jump(200.0)
        return ALLOW

    async def test(app: App) -> None:
        (first,), *rest = app.endpoints.output
        app.endpoints = attrs.evolve(app.endpoints, output=((BoundStep(first.step, slow),), *rest))
        answer = await chat(app, "hello")
        assert answer.is_complete
        assert int(answer.headers["content-length"]) == len(answer.body)

    with_app(test, plan(scan_step("p", "x")), says("hi"))


def test_the_connection_to_a_provider_is_read_to_its_end_after_the_end_marker() -> None:
    body = Body([streamed(["hi"]), b": bye\n\n"], 0.2)

    async def test(app: App) -> None:
        answer = await chat(app, "hello", stream=True)
        assert answer.body.endswith(b"data: [DONE]\n\n")
        await trio.sleep(1)
        assert body.is_exhausted

    with_app(test, plan(), FakeProvider(lambda _: stream_answer(body)))


def test_what_goes_wrong_after_the_end_marker_is_not_held_against_the_answer(
    tmp_path: Path,
) -> None:
    body = Body([streamed(["hi"])], is_cut=True)
    path = tmp_path / "audit.jsonl"

    async def main() -> None:
        provider = FakeProvider(lambda _: stream_answer(body))
        async with gateway(plan(record_step()), provider, path) as app:
            answer = await chat(app, "hello", stream=True)
            assert answer.is_complete

    run_in_virtual_time(main)
    event = json.loads(path.read_text())
    assert (event["status"], event["reason_code"]) == (200, None)


# ---- Clients that leave


def leaving(
    test: Callable[[App, Path], Awaitable[None]], the_plan: Plan, provider: FakeProvider, path: Path
) -> list[dict[str, object]]:
    """Run a test in which clients leave; nothing may be left of them but their events."""

    async def main() -> None:
        async with gateway(the_plan, provider, path) as app:
            await test(app, path)
            gate = app.endpoints.gate
            assert (gate.running, gate.waiting, gate._buffered) == (0, 0, 0)

    run_in_virtual_time(main)
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_closed(events: list[dict[str, object]]) -> None:
    """One event, which says that the client left."""
    assert [(one["status"], one["reason_code"]) for one in events] == [(499, "client_closed")]


def test_a_client_may_leave_before_its_body_is_complete(tmp_path: Path) -> None:
    async def test(app: App, path: Path) -> None:
        async with asgi_request(app, "POST", PATH, body_chunks=[b"{", b"}"]) as exchange:
            exchange.leave()
            await exchange.finished.wait()

    provider = says("hi")
    check_closed(leaving(test, plan(record_step()), provider, tmp_path / "audit.jsonl"))
    assert provider.asked == []


@pytest.mark.parametrize(
    ("provider", "stage"),
    [
        (FakeProvider(lambda _: json_answer(0), connect_seconds=4), "connecting"),
        (FakeProvider(lambda _: json_answer(0), head_seconds=20), "waiting for the head"),
        (FakeProvider(lambda _: json_answer(completion("hi"))), "reading the answer"),
    ],
    ids=["connecting", "waiting for the head", "reading the answer"],
)
def test_a_client_may_leave_while_the_provider_is_asked(
    provider: FakeProvider, stage: str, tmp_path: Path
) -> None:
    if stage == "reading the answer":
        slow = Body([b" "] * 100, 1.0)
        provider = FakeProvider(lambda _: httpx.Response(200, stream=slow))

    async def test(app: App, path: Path) -> None:
        async with asgi_request(app, "POST", PATH, body_chunks=[chat_body("hi")]) as exchange:
            await trio.sleep(2)
            exchange.leave()
            left = trio.current_time()
            await exchange.finished.wait()
            assert trio.current_time() == left

    check_closed(leaving(test, plan(record_step()), provider, tmp_path / "audit.jsonl"))
    assert all(body.is_closed for body in provider.bodies)


def test_a_client_may_leave_the_queue(tmp_path: Path) -> None:
    provider = FakeProvider(lambda _: json_answer(completion("hi")), head_seconds=10)

    async def test(app: App, path: Path) -> None:
        first = asgi_request(app, "POST", PATH, body_chunks=[chat_body("first")])
        second = asgi_request(app, "POST", PATH, body_chunks=[chat_body("second")])
        async with first as running:
            await trio.sleep(1)
            async with second as waiting:
                await trio.sleep(1)
                assert (app.endpoints.gate.running, app.endpoints.gate.waiting) == (1, 1)
                waiting.leave()
                await waiting.finished.wait()
            assert (app.endpoints.gate.running, app.endpoints.gate.waiting) == (1, 0)
            assert (await running.collect()).status == 200

    path = tmp_path / "audit.jsonl"
    events = leaving(test, plan(record_step(), max_concurrent=1), provider, path)
    assert [one["status"] for one in events] == [499, 200]
    assert len(provider.asked) == 1


def test_a_client_may_leave_in_mid_stream(tmp_path: Path) -> None:
    body = Body([chunk({"content": "a"})] * 100, 1.0)

    async def test(app: App, path: Path) -> None:
        request = [chat_body("hi", stream=True)]
        async with asgi_request(app, "POST", PATH, body_chunks=request) as exchange:
            await exchange.receive_message()
            await exchange.receive_message()

    provider = FakeProvider(lambda _: stream_answer(body))
    check_closed(leaving(test, plan(record_step()), provider, tmp_path / "audit.jsonl"))
    assert (body.is_closed, body.is_exhausted) == (True, False)


def test_a_request_cut_by_the_server_in_mid_stream_is_recorded_as_closed(tmp_path: Path) -> None:
    body = Body([chunk({"content": "a"})] * 100, 1.0)

    async def test(app: App, path: Path) -> None:
        with trio.move_on_after(3):
            await chat(app, "hi", stream=True)

    provider = FakeProvider(lambda _: stream_answer(body))
    check_closed(leaving(test, plan(record_step()), provider, tmp_path / "audit.jsonl"))
    assert body.is_closed
