"""The matrix says what the gateway then really reads, on every path."""

import attrs
import orjson
import pytest

from kt.exchange import Dialect, Surface
from kt.explain.coverage import Cell, coverage, coverage_text
from kt.plan import Plan
from kt.policy import Action, Phase
from kt.wire.endpoints import FORMATS
from kt.wire.json_body import parse_lenient, parse_strict
from kt.wire.sse import SseReader
from tests.support.asgi import Response, ask
from tests.support.gateways import gateway, run_in_virtual_time
from tests.support.plans import ASK, ask_step, condition, plan, scan_step, target
from tests.support.plants import ANSWERS, REQUESTS, STREAMS, TOKEN
from tests.support.upstreams import Body, FakeProvider, json_answer, stream_answer

ASKS = scan_step("asks", TOKEN, action=Action.BLOCK, phase=Phase.INPUT)
SAYS = scan_step("says", TOKEN, action=Action.BLOCK, phase=Phase.OUTPUT, order=1)
CELLS = [*coverage(plan(ASKS, SAYS))]
each_cell = pytest.mark.parametrize(
    "cell", CELLS, ids=[f"{one.path}-{one.body}-{one.surface.value}" for one in CELLS]
)


def harmless(path: str) -> dict[str, object]:
    """A request without the token."""
    planted = next(body for (where, _), body in REQUESTS.items() if where == path)
    clean: dict[str, object] = orjson.loads(orjson.dumps(planted).replace(TOKEN.encode(), b"x"))
    return clean


def reply(the_plan: Plan, cell: Cell) -> Response:
    """The answer to an exchange with the token in one cell and nowhere else."""
    where = (cell.path, cell.surface)
    is_request, is_streamed = cell.body == "request", cell.body == "streamed answer"
    body = REQUESTS[where] if is_request else harmless(cell.path)
    answer = {} if is_request else ANSWERS[where]
    provider = FakeProvider(
        lambda _: stream_answer(Body(STREAMS[where])) if is_streamed else json_answer(answer)
    )
    answers: list[Response] = []

    async def main() -> None:
        async with gateway(the_plan, provider) as app:
            request = orjson.dumps({"model": "m", "stream": is_streamed, **body})
            answers.append(await ask(app, "POST", cell.path, body=request))

    run_in_virtual_time(main)
    return answers[0]


@each_cell
def test_what_is_called_read_is_read(cell: Cell) -> None:
    assert cell.is_read
    answer = reply(plan(ASKS, SAYS), cell)
    assert answer.status == 409 or b"output_blocked" in answer.body
    assert TOKEN.encode() not in answer.body


@each_cell
def test_what_is_called_not_read_passes(cell: Cell) -> None:
    other = plan(SAYS if cell.body == "request" else ASKS)
    (same,) = (one for one in coverage(other) if attrs.evolve(one, readers=()) == unread(cell))
    assert not same.is_read
    answer = reply(other, cell)
    assert (answer.status, b'"error":{' in answer.body) == (200, False)


def unread(cell: Cell) -> Cell:
    """The same cell as nobody reads it."""
    return attrs.evolve(cell, readers=())


@each_cell
def test_a_plant_stands_on_the_surface_that_it_is_said_to_stand_on(cell: Cell) -> None:
    assert found_on(cell) == {cell.surface}


def found_on(cell: Cell) -> set[Surface]:
    """The surfaces on which the gateway's own reading finds the token."""
    form, where = FORMATS[cell.path], (cell.path, cell.surface)
    if cell.body == "request":
        segments = form.request_segments(parse_strict(orjson.dumps(REQUESTS[where])))
        return {one.surface for one in segments if TOKEN in one.text}
    if cell.body == "answer":
        segments = form.answer_segments(parse_lenient(orjson.dumps(ANSWERS[where])))
        return {one.surface for one in segments if TOKEN in one.text}
    return {surface for surface, _ in streamed_on(cell)}


def streamed_on(cell: Cell) -> set[tuple[Surface, str]]:
    """Where in the events of a stream the token is found, and how it comes."""
    form = FORMATS[cell.path].stream
    assert form is not None
    found = set()
    for event in SseReader(2**20).feed(b"".join(STREAMS[cell.path, cell.surface])):
        if event.data is None or event.data == form.done:
            continue
        read = form.read(parse_lenient(event.data))
        found |= {(one.lane.surface, "grows") for one in read.growing if TOKEN in one.text}
        found |= {(one.segment.surface, "whole") for one in read.whole if TOKEN in one.segment.text}
    return found


STREAMED = [cell for cell in CELLS if cell.body == "streamed answer"]


@pytest.mark.parametrize("cell", STREAMED, ids=lambda cell: f"{cell.path}-{cell.surface.value}")
def test_how_a_stream_is_read_is_how_it_comes(cell: Cell) -> None:
    ((surface, how),) = streamed_on(cell)
    said = {"grows": ("as it grows", "at the end of the call"), "whole": ("event by event",)}
    assert any(one in cell.how for one in said[how])
    assert (cell.how == "at the end of the call") is (surface is Surface.TOOL_ARGUMENTS)


def test_every_plant_has_its_cell() -> None:
    cells = {(one.body, one.path, one.surface) for one in CELLS}
    planted = {
        *(("request", *where) for where in REQUESTS),
        *(("answer", *where) for where in ANSWERS),
        *(("streamed answer", *where) for where in STREAMS),
    }
    assert cells == planted


def test_a_path_that_no_target_serves_has_no_rows() -> None:
    spoken = attrs.evolve(target(), format=Dialect.ANTHROPIC)
    assert {one.path for one in coverage(plan(ASKS, targets=(spoken,)))} == {"/v1/messages"}
    assert {one.path for one in coverage(attrs.evolve(plan(ASKS), targets=()))} == FORMATS.keys()


def test_what_is_forwarded_unread_is_shown_as_not_read() -> None:
    open_plan = attrs.evolve(plan(ASKS, SAYS), passthrough=("/v1/files/*",))
    cells = [one for one in coverage(open_plan) if one.path == "/v1/files/*"]
    assert [(one.body, one.is_read) for one in cells] == [("request", False), ("answer", False)]
    text = coverage_text(open_plan)
    assert "coverage of /v1/files/*\n  request  other  NOT READ  forwarded unread\n" in text


def test_an_answer_that_is_kept_whole_is_read_whole() -> None:
    cells = [*coverage(plan(SAYS, keep_answer_whole=True))]
    assert {one.how for one in cells} == {"whole"}


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
    assert text.startswith("coverage of /v1/chat/completions\n")
    assert "coverage of /v1/messages\n" in text
    assert "request          user              asks      whole" in text
    assert "streamed answer  content           NOT READ" in text
    assert "exempt" in text


def test_where_a_service_judges_answers_streams_are_refused_and_requests_are_not() -> None:
    asks = ask_step("service", ASK, phase=Phase.OUTPUT)
    for cell in coverage(plan(asks)):
        if cell.body == "streamed answer":
            assert cell.how == "refused: service judges only whole answers"
        elif cell.body == "answer":
            assert (cell.readers, cell.how) == (("service",), "whole")
    for cell in coverage(plan(attrs.evolve(asks, when=condition("not request.stream")))):
        if cell.body == "streamed answer":
            assert cell.how == "refused where service is for the request"
    assert not any("refused" in cell.how for cell in coverage(plan(ask_step("service", ASK))))
