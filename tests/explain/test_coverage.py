"""The matrix says what the gateway then really reads."""

import attrs
import orjson
import pytest

from kt.exchange import Surface
from kt.explain.coverage import ANSWER, REQUEST, Cell, coverage, coverage_text
from kt.plan import Plan
from kt.policy import Action, Phase
from tests.support.asgi import Response, ask
from tests.support.gateways import gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step
from tests.support.upstreams import (
    Body,
    FakeProvider,
    chunk,
    completion,
    json_answer,
    stream_answer,
)

TOKEN = "forbidden"
PATH = "/v1/chat/completions"
ASKS = scan_step("asks", TOKEN, action=Action.BLOCK, phase=Phase.INPUT)
ANSWERS = scan_step("answers", TOKEN, action=Action.BLOCK, phase=Phase.OUTPUT, order=1)

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": f'{{"a":"{TOKEN}"}}'}}
USER = {"role": "user", "content": "hi"}
REQUESTS: dict[Surface, dict[str, object]] = {
    Surface.SYSTEM: {"messages": [{"role": "system", "content": TOKEN}, USER]},
    Surface.USER: {"messages": [{"role": "user", "content": TOKEN}]},
    Surface.ASSISTANT: {"messages": [{"role": "assistant", "content": TOKEN}, USER]},
    Surface.TOOL_RESULT: {
        "messages": [USER, {"role": "tool", "tool_call_id": "1", "content": TOKEN}]
    },
    Surface.TOOL_ARGUMENTS: {"messages": [{"role": "assistant", "tool_calls": [CALL]}, USER]},
    Surface.TOOL_DESCRIPTION: {
        "messages": [USER],
        "tools": [{"type": "function", "function": {"name": "f", "description": TOKEN}}],
    },
    Surface.OTHER: {"messages": [USER], "metadata": {"note": TOKEN}},
}
MESSAGES: dict[Surface, dict[str, object]] = {
    Surface.CONTENT: {"content": TOKEN},
    Surface.REFUSAL: {"refusal": TOKEN},
    Surface.REASONING: {"reasoning_content": TOKEN},
    Surface.TOOL_ARGUMENTS: {"tool_calls": [{"index": 0, **CALL}]},
    Surface.OTHER: {"unheard_of": TOKEN},
}
CELLS = [*coverage(plan(ASKS, ANSWERS))]


def reply(the_plan: Plan, cell: Cell) -> Response:
    """The answer to an exchange with the token in one cell and nowhere else."""
    body = REQUESTS[cell.surface] if cell.body == "request" else {"messages": [USER]}
    message = {} if cell.body == "request" else MESSAGES[cell.surface]
    is_streamed = cell.body == "streamed answer"
    events = [
        chunk({"role": "assistant", **message}),
        chunk({}, finish="stop"),
        b"data: [DONE]\n\n",
    ]
    provider = FakeProvider(
        lambda _: (
            stream_answer(Body(events)) if is_streamed else json_answer(completion("", **message))
        )
    )
    answers: list[Response] = []

    async def main() -> None:
        async with gateway(the_plan, provider) as app:
            request = orjson.dumps({"model": "m", "stream": is_streamed, **body})
            answers.append(await ask(app, "POST", PATH, body=request))

    run_in_virtual_time(main)
    return answers[0]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.body}-{cell.surface.value}")
def test_what_is_called_read_is_read(cell: Cell) -> None:
    assert cell.is_read
    answer = reply(plan(ASKS, ANSWERS), cell)
    assert answer.status == 409 or b'"output_blocked"' in answer.body
    assert TOKEN.encode() not in answer.body


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.body}-{cell.surface.value}")
def test_what_is_called_not_read_passes(cell: Cell) -> None:
    other = plan(ANSWERS if cell.body == "request" else ASKS)
    (same,) = (
        one for one in coverage(other) if (one.body, one.surface) == (cell.body, cell.surface)
    )
    assert not same.is_read
    answer = reply(other, cell)
    assert (answer.status, b'"error"' in answer.body) == (200, False)


def test_every_surface_of_the_format_has_its_rows() -> None:
    assert set(REQUEST) == set(REQUESTS)
    assert set(ANSWER) == set(MESSAGES)


def test_a_reader_with_a_condition_reads_sometimes() -> None:
    step = attrs.evolve(ASKS, when=scan_step("x", "x", when="request.stream").when)
    (cell, *_) = coverage(plan(step))
    assert (cell.is_read, cell.is_always_read) == (True, False)
    (cell, *_) = coverage(plan(step, scan_step("other", "a", phase=Phase.INPUT, order=2)))
    assert (cell.conditional, cell.is_always_read) == (("asks",), True)
    text = coverage_text(plan(step))
    assert "asks (sometimes)  whole, but not of every request" in text
    assert "sometimes\n  input  asks  only when request.stream == true\n" in text
    assert "sometimes" not in coverage_text(plan(ASKS))


def test_the_text_says_who_reads_and_what_nobody_reads() -> None:
    text = coverage_text(plan(ASKS))
    assert "request          user              asks      whole" in text
    assert "streamed answer  content           NOT READ" in text
    assert "exempt" in text
