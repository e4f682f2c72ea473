"""A streamed answer event by event: order, ends and bounds; what it says is in the laws."""

import itertools
from collections.abc import Iterable, Iterator

import orjson
import pytest
import trio

from kt.errors import GatewayError
from kt.plan import Stage, Step
from kt.policy import Action, Outcome
from kt.runtime.engine import PolicyBudget
from kt.runtime.fused import StreamRules
from kt.runtime.stream import MAX_ENDED, MAX_EVENT, MAX_LANES, AnswerStream
from kt.wire.chat import CHAT
from tests.support.gateways import chat, error_of, frames, gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step
from tests.support.upstreams import Body, FakeProvider, chunk, stream_answer, streamed

MAIL = scan_step("mail", r"[a-z]+@[a-z]+\.com")
STOP = scan_step("stop", "secret", action=Action.BLOCK, order=1)
DONE = b"data: [DONE]\n\n"


def stream_of(*steps: Step, hold: int = 65536) -> AnswerStream:
    """An answer that has not begun."""
    rules = StreamRules.of(tuple(Stage(steps=(one,)) for one in steps))
    assert CHAT.stream is not None
    return AnswerStream(CHAT.stream, rules, hold, PolicyBudget(2.0, trio.CapacityLimiter(8)))


def play(pieces: Iterable[bytes], *steps: Step, hold: int = 65536) -> list[bytes]:
    """What goes to the client of these bytes of a provider."""
    shown: list[bytes] = []
    fill(stream_of(*steps, hold=hold), pieces, shown)
    return shown


def fill(stream: AnswerStream, pieces: Iterable[bytes], shown: list[bytes]) -> None:
    """Feed pieces and note every frame before the answer ends, well or not."""

    async def main() -> None:  # it reads trio's clock
        for piece in pieces:
            shown.extend(stream.feed(piece))
        shown.extend(stream.end())

    trio.run(main)


def refusal_of(pieces: Iterable[bytes], *steps: Step, hold: int = 65536) -> GatewayError:
    """The error that a stream ends in."""
    with pytest.raises(GatewayError) as refusal:
        play(pieces, *steps, hold=hold)
    return refusal.value


def texts(shown: Iterable[bytes], *path: str | int) -> Iterator[tuple[int, str]]:
    """The choice and the text below its delta of each frame that has one."""
    for data in frames(b"".join(shown)):
        for choice in orjson.loads(data).get("choices", ()) if data != b"[DONE]" else ():
            value = choice["delta"]
            for part in path:
                value = value[part] if not isinstance(value, dict) else value.get(part, {})
            if isinstance(value, str) and value:
                yield choice["index"], value


def usage(**more: object) -> bytes:
    """The event with the numbers."""
    value = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}, **more}
    return b"data: " + orjson.dumps(value) + b"\n\n"


def call(arguments: str, number: int = 0, name: str | None = None) -> bytes:
    """One event of a tool call."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return chunk({"tool_calls": [{"index": number, "function": function}]})


# ---- Bytes and order


def test_events_that_nothing_changes_keep_their_bytes() -> None:
    odd = b'data: { "choices" : [{"index":0,"delta":{"content":"h\\u0069 "}}]}\n\n'
    pieces = [chunk({"role": "assistant"}), odd, usage(), DONE]
    assert b"".join(play(pieces, MAIL, STOP)) == b"".join(pieces)


def test_without_rules_every_event_goes_on_at_once() -> None:
    stream = stream_of()
    first = chunk({"content": "a@b"})
    assert trio.run(_feed, stream, first) == [first]


async def _feed(stream: AnswerStream, data: bytes) -> list[bytes]:
    return list(stream.feed(data))


def test_nothing_is_sent_before_the_first_text_is_safe() -> None:
    stream = stream_of(MAIL)
    assert trio.run(_feed, stream, chunk({"role": "assistant", "content": ""})) == []
    assert trio.run(_feed, stream, chunk({"content": "ann"})) == []
    sent = trio.run(_feed, stream, chunk({"content": " and "}))
    assert [text for _, text in texts(sent, "content")] == ["ann and "]
    assert b'"role"' in sent[0]


def test_choices_are_judged_apart_however_they_are_interleaved() -> None:
    pieces = [
        chunk({"content": "ann@"}, index=0),
        chunk({"content": "acme.com"}, index=1),
        chunk({"content": "acme.com "}, index=0),
        chunk({"content": " ok"}, index=1),
        chunk({}, index=1, finish="stop"),
        chunk({}, index=0, finish="stop"),
        DONE,
    ]
    shown = play(pieces, MAIL)
    by_choice: dict[int, str] = {}
    for choice, text in texts(shown, "content"):
        by_choice[choice] = by_choice.get(choice, "") + text
    assert by_choice == {0: "[MAIL] ", 1: "acme.com ok"}


def test_what_a_choice_holds_goes_out_before_its_finish() -> None:
    pieces = [chunk({"content": "to ann"}), chunk({}, finish="stop"), usage(), DONE]
    values = [orjson.loads(data) for data in frames(b"".join(play(pieces, MAIL)))[:-1]]
    assert [value["choices"][0]["delta"] for value in values[:-1]] == [
        {"content": "to "},
        {"content": "ann"},
        {},
    ]
    assert values[2]["choices"][0]["finish_reason"] == "stop"
    assert values[3]["usage"]["completion_tokens"] == 5


def test_text_in_the_finish_event_is_complete_with_it() -> None:
    shown = play([chunk({"content": "ann@acme.com"}, finish="stop"), DONE], MAIL)
    assert [text for _, text in texts(shown, "content")] == ["[MAIL]"]


def test_usage_follows_all_choices_even_where_it_came_early() -> None:
    pieces = [chunk({"content": "ok ann"}), usage(), DONE]
    values = frames(b"".join(play(pieces, MAIL)))
    assert [b'"usage"' in data for data in values] == [False, False, True, False]
    assert values[-1] == b"[DONE]"


def test_the_numbers_of_the_usage_are_noted() -> None:
    stream = stream_of(MAIL)
    fill(stream, [streamed(["hi"]).removesuffix(DONE), usage(), DONE], [])
    assert stream.usage == (3, 5)


def test_log_probabilities_are_null_where_rules_act_and_stay_where_none_do() -> None:
    value = {"index": 0, "delta": {"content": "hi "}, "logprobs": {"content": [{"token": "hi "}]}}
    data = b"data: " + orjson.dumps({"choices": [value]}) + b"\n\n"
    (shown, *_) = frames(b"".join(play([data, DONE], MAIL)))
    assert orjson.loads(shown)["choices"][0]["logprobs"] is None
    assert b"".join(play([data, DONE])) == data + DONE


def test_comments_keep_the_connection_alive_once_it_has_begun() -> None:
    pieces = [b": early\n\n", chunk({"content": "hi "}), b": ping secret\n\n", DONE]
    assert b"".join(play(pieces, STOP)) == chunk({"content": "hi "}) + b":\n" + DONE


# ---- Lanes


@pytest.mark.parametrize("field", ["content", "refusal", "reasoning", "reasoning_content", "new"])
def test_every_text_of_a_delta_is_judged(field: str) -> None:
    shown = play([chunk({field: "to ann@"}), chunk({field: "acme.com"}), DONE], MAIL)
    assert "".join(text for _, text in texts(shown, field)) == "to [MAIL]"
    assert refusal_of([chunk({field: "sec"}), chunk({field: "ret"}), DONE], STOP).code == (
        "output_blocked"
    )


def test_texts_of_different_fields_do_not_run_together() -> None:
    pieces = [chunk({"content": "sec"}), chunk({"reasoning": "ret"}), chunk({"content": "ond"})]
    shown = play([*pieces, DONE], STOP)
    assert "".join(text for _, text in texts(shown, "content")) == "second"
    assert "".join(text for _, text in texts(shown, "reasoning")) == "ret"


def test_tool_arguments_are_judged_decoded_when_they_are_complete() -> None:
    pieces = [call("", name="send"), call('{"to": "ann\\u00'), call('40acme.com"}'), DONE]
    shown = play([*pieces[:-1], chunk({}, finish="tool_calls"), DONE], MAIL)
    arguments = [text for _, text in texts(shown, "tool_calls", 0, "function", "arguments")]
    assert arguments == ['{"to": "[MAIL]"}']


def test_tool_calls_are_told_apart_by_their_number() -> None:
    pieces = [call('{"a": "sec', 0), call('{"b": "ret"}', 1), call('ond"}', 0)]
    shown = play([*pieces, chunk({}, finish="tool_calls"), DONE], STOP)
    assert len(list(texts(shown, "tool_calls", 0, "function", "arguments"))) == 2


def test_an_escaped_block_in_tool_arguments_is_found() -> None:
    pieces = [call('{"a": "se\\u0063'), call('ret"}'), chunk({}, finish="tool_calls"), DONE]
    assert refusal_of(pieces, STOP).code == "output_blocked"


def test_the_name_of_a_function_is_judged_in_its_event() -> None:
    assert refusal_of([call("", name="secret"), DONE], STOP).code == "output_blocked"


# ---- Ends


def test_a_stream_without_its_end_marker_is_cut() -> None:
    whole = streamed(["hi"])
    assert refusal_of([whole.removesuffix(DONE)]).code == "upstream_cut"
    assert refusal_of([]).code == "upstream_cut"


def test_held_text_is_dropped_when_the_stream_is_cut() -> None:
    shown: list[bytes] = []
    with pytest.raises(GatewayError):
        fill(stream_of(MAIL), [chunk({"content": "hi ann@acme"})], shown)
    assert [text for _, text in texts(shown, "content")] == ["hi "]


def test_an_end_marker_without_its_empty_line_counts() -> None:
    assert play([chunk({"content": "hi"}), b"data: [DONE]\n"])[-1] == DONE


def test_nothing_after_the_end_marker_is_looked_at() -> None:
    assert play([DONE, chunk({"content": "secret"}), b"data: {\n\n"], STOP) == [DONE]


@pytest.mark.parametrize(
    "data", [b"data: {\n\n", b"data: 1\n\n", b"data: []\n\n", b'data: {"choices": [1]}\n\n']
)
def test_an_event_that_is_no_chunk_is_a_bad_response(data: bytes) -> None:
    assert refusal_of([data]).code == "bad_response"


def test_text_after_the_finish_of_a_choice_is_a_bad_response() -> None:
    pieces = [chunk({"content": "a"}, finish="stop"), chunk({"content": "b"})]
    assert refusal_of(pieces).code == "bad_response"


def test_the_provider_s_own_error_ends_the_stream_and_is_passed_on() -> None:
    failed = b'data: {"error": {"message": "overloaded"}}\n\n'
    stream, shown = stream_of(MAIL), list[bytes]()
    fill(stream, [chunk({"content": "hi ann"}), failed, chunk({"content": "more"})], shown)
    assert shown[-1] == failed
    assert stream.upstream_failed
    assert [text for _, text in texts(shown[:-1], "content")] == ["hi "]


def test_a_block_is_recorded_with_its_rule_and_its_span() -> None:
    stream = stream_of(MAIL, STOP)
    with pytest.raises(GatewayError):
        fill(stream, [chunk({"content": "ann@acme.com has a secret."})], [])
    decision = stream.decision()
    assert (decision.outcome, decision.step) == (Outcome.BLOCK, STOP)
    assert [one.verdict.rule for one in decision.judged] == ["mail.0", "stop.0"]
    assert decision.judged[1].verdict.spans == (6,)


def test_escalations_and_records_are_told_apart() -> None:
    escalate = scan_step("p", "secret", action=Action.ESCALATE)
    assert refusal_of([streamed(["my secret"])], escalate).code == "escalation_required"
    flag = scan_step("p", "secret", action=Action.FLAG)
    stream = stream_of(flag)
    fill(stream, [streamed(["my sec", "ret"])], [])
    assert stream.decision().outcome is Outcome.ALLOW
    assert stream.decision().judged[0].verdict.outcome is Outcome.FLAG


# ---- Bounds


def test_an_answer_has_a_bounded_number_of_growing_texts() -> None:
    pieces = [chunk({"content": "a"}, index=index) for index in range(MAX_LANES + 1)]
    assert refusal_of(pieces, MAIL).code == "bad_response"


def test_an_answer_has_a_bounded_number_of_choices_that_only_finish() -> None:
    pieces = (chunk({}, index=index, finish="stop") for index in itertools.count())
    assert refusal_of(itertools.islice(pieces, MAX_ENDED + 1), MAIL).code == "bad_response"


def test_an_event_is_bounded() -> None:
    pieces = itertools.repeat(b"data: " + b" " * 2**16 + b"\n", 40)
    assert refusal_of(pieces).code == "bad_response"


def test_events_without_text_are_not_collected_for_ever() -> None:
    empty = chunk({}).replace(b'"model"', b'"x":' + b"[" * 40 + b"]" * 40 + b',"model"')
    stream, piece = stream_of(MAIL), empty * 100

    async def main() -> None:
        waiting = 0
        for _ in range(5 * MAX_EVENT // 4 // len(piece)):
            waiting += len(piece) - sum(map(len, stream.feed(piece)))
            assert waiting <= MAX_EVENT + len(piece)
        assert waiting == 0

    trio.run(main)


def test_usage_that_waits_for_held_text_is_not_collected_for_ever() -> None:
    events = itertools.repeat(usage(obfuscation="x" * 1000), 3 * MAX_EVENT // 1000)
    pieces = itertools.chain([chunk({"content": "ann"})], events)
    assert refusal_of(pieces, MAIL).code == "bad_response"


@pytest.mark.parametrize("event", [call("x" * 50), chunk({"content": "x" * 50})])
def test_held_text_is_bounded(event: bytes) -> None:
    anything = scan_step("p", r"x+y")
    assert refusal_of([event, event, event], anything, hold=120).code == "hold_exceeded"


# ---- Through the app


def test_an_answer_may_be_sent_whole() -> None:
    async def main() -> None:
        body = Body([chunk({"content": "a "})] * 5 + [DONE], 1.0)
        the_plan = plan(MAIL, keep_answer_whole=True)
        async with gateway(the_plan, FakeProvider(lambda _: stream_answer(body))) as app:
            answer = await chat(app, "hello", stream=True)
            _, first, *_ = answer.messages
            assert first.body == answer.body
            assert answer.body.endswith(DONE)
            assert len(frames(answer.body)) == 6

    run_in_virtual_time(main)


def test_an_answer_that_is_sent_whole_is_refused_whole() -> None:
    async def main() -> None:
        body = Body([chunk({"content": "much text "}), streamed(["secret"])])
        the_plan = plan(STOP, keep_answer_whole=True)
        async with gateway(the_plan, FakeProvider(lambda _: stream_answer(body))) as app:
            answer = await chat(app, "hello", stream=True)
            assert answer.status == 409
            assert b"much text" not in answer.body

    run_in_virtual_time(main)


def test_an_answer_that_is_sent_whole_is_bounded() -> None:
    async def main() -> None:
        body = Body([chunk({"content": "a"})] * 1000)
        the_plan = plan(keep_answer_whole=True, response_body=1000)
        async with gateway(the_plan, FakeProvider(lambda _: stream_answer(body))) as app:
            answer = await chat(app, "hello", stream=True)
            assert (answer.status, body.is_exhausted) == (502, False)

    run_in_virtual_time(main)


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        (b"", "upstream_cut"),
        (b"data: {\n\n", "bad_response"),
        (chunk({"content": "a secret"}), "output_blocked"),
    ],
)
def test_after_the_head_every_end_is_one_error_frame(tail: bytes, code: str) -> None:
    async def main() -> None:
        body = Body([chunk({"content": "hi "}), tail])
        async with gateway(plan(STOP), FakeProvider(lambda _: stream_answer(body))) as app:
            answer = await chat(app, "hello", stream=True)
            assert (answer.status, answer.is_complete) == (200, True)
            assert error_of(answer.body)["code"] == code
            assert answer.body.count(b'"error"') == 1
            assert b"[DONE]" not in answer.body
            assert body.is_closed

    run_in_virtual_time(main)
