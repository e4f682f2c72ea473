"""`/v1/messages`, Anthropic's format, whole and streamed.

In: parsed bodies and events. Out: the format as a value; errors in Anthropic's envelope. Never:
remembers an earlier event, or a second opinion on what is text (`kt.wire.messages_tables`).

An answer is a list of blocks. In a stream each block grows under its own number, which is the
`choice` of its lanes; a citation and the result of a provider's tool come in one piece.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import orjson

from kt.errors import GatewayError
from kt.exchange import Dialect, Key, Lane, Path, Segment
from kt.wire.chunks import NO_USAGE, Chunk, Delta, Usage, Whole, no_event
from kt.wire.format import Format, StreamFormat, misshapen
from kt.wire.json_body import (
    JsonObject,
    JsonValue,
    count_of,
    object_of,
    parse_exact,
)
from kt.wire.messages_tables import ANSWER, EVENT, REQUEST
from kt.wire.segments import TooManyTexts, segments_of
from kt.wire.sse import frame

VERSION = b"2023-06-01"

_KINDS = MappingProxyType(
    {
        "validation_error": "invalid_request_error",
        "rate_limit": "rate_limit_error",
        "not_found": "not_found_error",
        "upstream_error": "api_error",
        "internal_error": "api_error",
        "unavailable": "overloaded_error",
    }
)
"""Our types of errors under Anthropic's names; the others go by their own."""

_STARTS = MappingProxyType({"text": "text_delta", "thinking": "thinking_delta"})
"""What may begin to grow in the event that opens its block, and what its later events are."""


# ---- Requests and whole answers


def _check(value: JsonObject) -> None:
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise misshapen("'messages' must be an array that is not empty")
    if not all(isinstance(message, dict) for message in messages):
        raise misshapen("every member of 'messages' must be an object")


def usage_of(value: JsonValue) -> Usage:
    """The tokens that went in and came out, as far as the provider says."""
    usage = object_of(object_of(value).get("usage"))
    return count_of(usage.get("input_tokens")), count_of(usage.get("output_tokens"))


def error_body(error: GatewayError) -> JsonObject:
    """Anthropic's envelope, with our code and the policy that decided."""
    kind = _KINDS.get(error.refusal.type, error.refusal.type)
    says = {"type": kind, "message": error.message, "code": error.code}
    policy = {} if error.policy is None else {"policy": error.policy}
    return {"type": "error", "error": {**says, **policy}}


# ---- Events


def read_event(value: JsonValue) -> Chunk:
    """Read one event. Raises GatewayError `bad_response` for what is no part of an answer."""
    kind = object_of(value).get("type")
    if not isinstance(value, dict) or not isinstance(kind, str):
        raise no_event()
    if kind == "content_block_delta" and not isinstance(value.get("delta"), dict):
        raise no_event()
    try:
        segments = segments_of(value, EVENT)
    except TooManyTexts:
        raise no_event() from None
    growing = tuple(_growing(segments, value))
    paths = {delta.path for delta in growing}
    return Chunk(
        growing=growing,
        whole=tuple(Whole(one) for one in segments if one.pieces[0].path not in paths),
        finished=(_number(value),) if kind == "content_block_stop" else (),
        is_end=kind in ("message_delta", "message_stop"),
        is_last=kind == "message_stop",
        is_only_text=_is_only_text(kind, value, growing),
        usage=_usage(kind, value),
    )


def held_event(delta: Delta, text: str) -> bytes:
    """An event that carries text which was held back, and nothing else."""
    kind = "content_block_delta"
    says = {**object_of(delta.likeness), **_nested(orjson.loads(delta.lane.part), text)}
    return frame(orjson.dumps({"type": kind, "index": delta.lane.choice, "delta": says}), kind)


def is_error(value: JsonValue) -> bool:
    """Whether an event is the provider's own error."""
    return object_of(value).get("type") == "error"


def error_event(error: GatewayError, _number: int) -> bytes:
    """The last event of an answer that cannot go on."""
    return frame(orjson.dumps(error_body(error)), "error")


def _number(value: JsonObject) -> int:
    number = value.get("index")
    if not isinstance(number, int) or number < 0:
        raise no_event()
    return number


def _usage(kind: str, value: JsonObject) -> Usage:
    match kind:
        case "message_start":
            return usage_of(value.get("message"))
        case "message_delta":
            return usage_of(value)
    return NO_USAGE


def _growing(segments: tuple[Segment, ...], value: JsonObject) -> Iterator[Delta]:
    for segment in segments:
        path = segment.pieces[0].path
        kind = _grows_as(path, value)
        if kind is not None:
            lane = Lane(_number(value), segment.surface, orjson.dumps(path[1:]).decode())
            yield Delta(lane, segment.text, path, {"type": kind})


def _grows_as(path: Path, value: JsonObject) -> str | None:
    """The type of event in which the text at this path grows; None where it is complete."""
    if isinstance(path[-1], Key) or path == ("type",):
        return None
    match value["type"], path[0]:
        case "content_block_delta", "delta" if path[1] not in ("citation", "type"):
            return str(object_of(value["delta"]).get("type"))
        case "content_block_start", "content_block":
            return _STARTS.get(str(path[1])) if len(path) == 2 else None
    return None


def _is_only_text(kind: str, value: JsonObject, growing: tuple[Delta, ...]) -> bool:
    said = [name for name, one in object_of(value.get("delta")).items() if one not in (None, "")]
    return kind == "content_block_delta" and len(growing) > 0 and said == _said(growing)


def _said(growing: tuple[Delta, ...]) -> list[Any]:  # Any: parts of a path
    return ["type", *(delta.path[-1] for delta in growing)]


def _nested(path: list[str | int], text: str) -> Any:  # Any: JSON of the path's shape
    nested: Any = text
    for part in reversed(path):
        nested = {part: nested} if isinstance(part, str) else [nested]
    return nested


MESSAGES = Format(
    path="/v1/messages",
    dialect=Dialect.ANTHROPIC,
    request=REQUEST,
    answer=ANSWER,
    check=_check,
    usage=usage_of,
    error=error_body,
    parse_answer=parse_exact,
    forwarded=frozenset({b"anthropic-beta", b"anthropic-version"}),
    own_headers=((b"anthropic-version", VERSION),),
    stream=StreamFormat(read=read_event, held=held_event, is_error=is_error, error=error_event),
)
