"""The mock's answers as what is sent when, well-formed and not.

In: a request body, the shape of its answer, its Behavior. Out: a Script of pauses and bytes. Never:
waits or sends.
"""

import gzip
import itertools
import json
import math
from collections.abc import Iterable, Iterator

import attrs

from kt.testing.behavior import Behavior, Echo, MockSettings
from kt.testing.shapes import Said, Shape, compact, split_evenly
from kt.units import parse_duration

Headers = tuple[tuple[str, str], ...]

SLOW = 10.0
"""Seconds of `slow_first_byte` without a value."""

RETRY_AFTER = "1"


@attrs.frozen
class Step:
    """Wait, then send."""

    pause: float
    data: bytes


@attrs.frozen(kw_only=True)
class Script:
    """An answer: a head, then steps, then a proper end unless it is cut."""

    status: int = 200
    headers: Headers
    steps: Iterable[Step]
    """Without end for `never_ending`."""
    is_cut: bool = False


def error_script(status: int, message: str, kind: str = "invalid_request_error") -> Script:
    """An error in OpenAI's envelope; 429 and 503 say when to come back."""
    body = compact({"error": {"message": message, "type": kind, "param": None, "code": None}})
    retry: Headers = (("retry-after", RETRY_AFTER),) if status in (429, 503) else ()
    return Script(status=status, headers=(*_head(body), *retry), steps=(Step(0.0, body),))


def models_script() -> Script:
    """The list of models: one."""
    model = {"id": "mock", "object": "model", "created": 0, "owned_by": "kt"}
    body = compact({"object": "list", "data": [model]})
    return Script(headers=_head(body), steps=(Step(0.0, body),))


def answer_script(
    shape: Shape,
    number: int,
    body: bytes,
    headers: Headers,
    behavior: Behavior,
    settings: MockSettings,
) -> Script:
    """The answer to a request; a body that is none of this shape is answered 400."""
    try:
        request = json.loads(body)
        asked = shape.asked(request)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return error_script(400, "the body is not a request of this path")
    if behavior.fault == "status":
        return error_script(int(behavior.value or 500), "made to fail", "server_error")
    first = settings.delay
    if behavior.fault == "slow_first_byte":
        first += parse_duration(behavior.value) if behavior.value else SLOW
    text = _text(asked, body, headers, behavior)
    said = Said(number, request, asked, text, split_evenly(text, settings.chunks))
    answer = _Answer(shape, said, behavior.fault, settings)
    wants_stream = shape.events is not None and request.get("stream") is True
    script = _streamed(answer) if wants_stream else _whole(answer)
    return attrs.evolve(script, steps=_delayed(first, script.steps))


@attrs.frozen
class _Answer:
    """What both forms of an answer are made of."""

    shape: Shape
    said: Said
    fault: str | None
    settings: MockSettings

    @property
    def is_cut(self) -> bool:
        """Whether the connection ends in the middle."""
        is_second = self.fault == "cut_every_second" and self.said.number % 2 == 0
        return self.fault == "cut" or is_second


def _text(asked: tuple[str, ...], body: bytes, headers: Headers, behavior: Behavior) -> str:
    if behavior.reply is not None:
        return behavior.reply
    match behavior.echo:
        case Echo.REQUEST:
            return body.decode()
        case Echo.HEADERS:
            return json.dumps(dict(headers), ensure_ascii=False)
        case Echo.LAST:
            return asked[-1] if asked else ""


def _whole(answer: _Answer) -> Script:
    body = compact(answer.shape.whole(answer.said))
    half = Step(0.0, body[: len(body) // 2])
    if answer.is_cut:
        return Script(headers=_head(body), steps=(half,), is_cut=True)
    match answer.fault:
        case "stall":
            return Script(headers=_head(body), steps=(half, Step(math.inf, b"")))
        case "malformed_json":
            return Script(headers=_head(half.data), steps=(half,))
        case "gzip":
            packed = gzip.compress(body, mtime=0)
            head: Headers = (*_head(packed), ("content-encoding", "gzip"))
            return Script(headers=head, steps=(Step(0.0, packed),))
    return Script(headers=_head(body), steps=(Step(0.0, body),))


def _streamed(answer: _Answer) -> Script:
    shape, said = answer.shape, answer.said
    pause = answer.settings.chunk_delay
    events = list(shape.events(said)) if shape.events is not None else []
    half = _paced(events[: max(1, len(events) // 2)], pause)
    headers: Headers = (("content-type", "text/event-stream"), ("cache-control", "no-cache"))
    if answer.is_cut:
        return Script(headers=headers, steps=half, is_cut=True)
    steps: Iterable[Step] = _paced(events, pause)
    match answer.fault:
        case "stall":
            steps = itertools.chain(half, (Step(math.inf, b""),))
        case "no_done":
            steps = _paced(events[:-1], pause)
        case "malformed_json":
            steps = itertools.chain(half, (Step(pause, b'data: {"choices": [{"delta"\n\n'),))
        case "malformed_sse":
            steps = (Step(0.0, b"\xff\xfe no event\r\r\n\x00{]\n\n"),)
        case "error_frame":
            steps = itertools.chain(half, (Step(pause, shape.failure),))
        case "never_ending":
            again = Step(max(pause, 0.001), shape.more(said))
            steps = itertools.chain(half, itertools.repeat(again))
        case "gzip":
            headers = (*headers, ("content-encoding", "gzip"))
            steps = (Step(0.0, gzip.compress(b"".join(events), mtime=0)),)
    if answer.settings.chunk_bytes is not None:
        steps = _recut(steps, answer.settings.chunk_bytes, pause)
    return Script(headers=headers, steps=steps)


def _paced(events: Iterable[bytes], pause: float) -> Iterator[Step]:
    for index, event in enumerate(events):
        yield Step(pause if index else 0.0, event)


def _delayed(first: float, steps: Iterable[Step]) -> Iterator[Step]:
    for index, step in enumerate(steps):
        yield step if index else Step(step.pause + first, step.data)


def _recut(steps: Iterable[Step], size: int, pause: float) -> Iterator[Step]:
    """The same bytes in pieces of `size`; a pause without bytes (a stall) keeps its place."""
    held = b""
    for step in steps:
        held += step.data
        while len(held) >= size:
            yield Step(pause, held[:size])
            held = held[size:]
        if not step.data:
            yield Step(0.0, held)
            held = b""
            yield step
    if held:
        yield Step(pause, held)


def _head(body: bytes) -> Headers:
    return (("content-type", "application/json"), ("content-length", str(len(body))))
