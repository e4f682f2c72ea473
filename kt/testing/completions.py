"""Answers in the shape of OpenAI's chat completions, well-formed and not.

In: a request body, its Behavior. Out: a Script of pauses and bytes. Never: waits or sends.
"""

import gzip
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from kt.testing.behavior import Behavior, Echo, MockSettings
from kt.units import parse_duration

Headers = tuple[tuple[str, str], ...]
Json = dict[str, Any]  # Any: JSON is any shape

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
    body = _json({"error": {"message": message, "type": kind, "param": None, "code": None}})
    retry: Headers = (("retry-after", RETRY_AFTER),) if status in (429, 503) else ()
    return Script(status=status, headers=(*_head(body), *retry), steps=(Step(0.0, body),))


def models_script() -> Script:
    """The list of models: one."""
    model = {"id": "mock", "object": "model", "created": 0, "owned_by": "kt"}
    body = _json({"object": "list", "data": [model]})
    return Script(headers=_head(body), steps=(Step(0.0, body),))


def completion_script(
    number: int, body: bytes, headers: Headers, behavior: Behavior, settings: MockSettings
) -> Script:
    """The answer to a chat completion; a body that is none is answered 400."""
    try:
        request = json.loads(body)
        text = _text(request, body, headers, behavior)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return error_script(400, "the body is not a chat completion request")
    if behavior.fault == "status":
        return error_script(int(behavior.value or 500), "made to fail", "server_error")
    first = settings.delay
    if behavior.fault == "slow_first_byte":
        first += parse_duration(behavior.value) if behavior.value else SLOW
    make = _streamed if request.get("stream") is True else _whole
    script = make(_Answer(number, request, text, behavior.fault, settings))
    return attrs.evolve(script, steps=_delayed(first, script.steps))


@attrs.frozen
class _Answer:
    """What both forms of an answer are made of."""

    number: int
    request: Json
    text: str
    fault: str | None
    settings: MockSettings

    @property
    def is_cut(self) -> bool:
        """Whether the connection ends in the middle."""
        is_second = self.fault == "cut_every_second" and self.number % 2 == 0
        return self.fault == "cut" or is_second

    def envelope(self, kind: str, choices: list[Json]) -> Json:
        """What every object of the answer begins with; `created` tells no time, so bytes repeat."""
        return {
            "id": f"chatcmpl-mock-{self.number}",
            "object": kind,
            "created": 0,
            "model": self.request.get("model", "mock"),
            "choices": choices,
        }

    def usage(self) -> Json:
        """Words instead of tokens."""
        asked = sum(len(_content(message).split()) for message in self.request["messages"])
        answered = len(self.text.split())
        return {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
        }


def _text(request: Json, body: bytes, headers: Headers, behavior: Behavior) -> str:
    contents = [_content(m) for m in request["messages"] if m.get("role") == "user"]
    if behavior.reply is not None:
        return behavior.reply
    match behavior.echo:
        case Echo.REQUEST:
            return body.decode()
        case Echo.HEADERS:
            return json.dumps(dict(headers), ensure_ascii=False)
        case Echo.LAST:
            return contents[-1] if contents else ""


def _content(message: Json) -> str:
    """The text of a message, its text parts joined."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def _whole(answer: _Answer) -> Script:
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body = _json({**answer.envelope("chat.completion", [choice]), "usage": answer.usage()})
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
    pause = answer.settings.chunk_delay
    events = list(_events(answer))
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
            error = {"message": "made to fail", "type": "server_error", "param": None, "code": None}
            steps = itertools.chain(half, (Step(pause, _event({"error": error})),))
        case "never_ending":
            again = _event(answer.envelope("chat.completion.chunk", [_delta({"content": "more "})]))
            steps = itertools.chain(half, itertools.repeat(Step(max(pause, 0.001), again)))
        case "gzip":
            headers = (*headers, ("content-encoding", "gzip"))
            steps = (Step(0.0, gzip.compress(b"".join(events), mtime=0)),)
    if answer.settings.chunk_bytes is not None:
        steps = _recut(steps, answer.settings.chunk_bytes, pause)
    return Script(headers=headers, steps=steps)


def _events(answer: _Answer) -> Iterator[bytes]:
    options = answer.request.get("stream_options") or {}
    with_usage = bool(options.get("include_usage"))
    extra: Json = {"usage": None} if with_usage else {}

    def event(choices: list[Json], **fields: Any) -> bytes:  # Any: JSON is any shape
        return _event({**answer.envelope("chat.completion.chunk", choices), **extra, **fields})

    yield event([_delta({"role": "assistant", "content": "", "refusal": None})])
    for piece in split_evenly(answer.text, answer.settings.chunks):
        yield event([_delta({"content": piece})])
    yield event([_delta({}, "stop")])
    if with_usage:
        yield event([], usage=answer.usage())
    yield b"data: [DONE]\n\n"


def _delta(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def split_evenly(text: str, pieces: int) -> tuple[str, ...]:
    """The text in that many pieces (fewer where it is shorter), none of them empty."""
    count = max(1, min(pieces, len(text)))
    bounds = [len(text) * index // count for index in range(count + 1)]
    return tuple(text[start:end] for start, end in itertools.pairwise(bounds) if end > start)


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


def _event(data: Json) -> bytes:
    return b"data: " + _json(data) + b"\n\n"


def _json(data: Json) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _head(body: bytes) -> Headers:
    return (("content-type", "application/json"), ("content-length", str(len(body))))
