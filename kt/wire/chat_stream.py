"""The chunks of a streamed chat answer: what they say, and chunks with other text.

In: one event's value or bytes. Out: its texts with the lanes in which they grow, or the same event
saying something else. Never: remembers an earlier chunk.

Two sorts of text. What stands in a choice grows: its lane is the same in every chunk. What stands
outside (and the name of a function, which providers send in one piece and clients look for there)
is complete in its event: its lane has the choice `WHOLE`, and it must be judged on its own and
released with its event.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import orjson

from kt.errors import GatewayError, HouseBug
from kt.exchange import Key, Lane, Path, PathPart, Segment, Surface
from kt.wire.chat_tables import CHUNK
from kt.wire.json_body import JsonValue
from kt.wire.segments import TooManyTexts, segments_of
from kt.wire.splice import EMPTY_LIST, NULL, Change, splice
from kt.wire.sse import frame

WHOLE = -1
"""The choice of a lane whose text is complete in its event."""

_HEAD = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
"""What a synthesized chunk takes over from a real one."""


@attrs.frozen
class Delta:
    """One text of a chunk."""

    lane: Lane
    text: str
    path: Path

    @property
    def is_whole(self) -> bool:
        """Whether the text is complete in this event."""
        return self.lane.choice == WHOLE


@attrs.frozen(kw_only=True)
class Chunk:
    """What one event of a streamed answer says."""

    deltas: tuple[Delta, ...] = ()
    """Every text that is not exempt and not empty."""
    choices: tuple[int, ...] = ()
    """The choices that it speaks of."""
    finished: tuple[int, ...] = ()
    """Those of them that end here."""
    has_usage: bool = False
    is_only_text: bool = False
    """Without its growing texts there would be nothing left worth sending."""
    repetitions: tuple[Path, ...] = ()
    """What repeats text in clear or counts its characters, and goes where rules act."""

    @property
    def has_logprobs(self) -> bool:
        """Whether it must be rewritten where rules act, even if its text stays."""
        return bool(self.repetitions)


def read_chunk(value: JsonValue) -> Chunk:
    """Read one event. Raises GatewayError `bad_response` for what is no chunk."""
    if not isinstance(value, dict):
        raise _no_chunk()
    choices = _choices(value)
    try:
        segments = segments_of(value, CHUNK)
    except TooManyTexts:
        raise _no_chunk() from None
    deltas = tuple(delta for segment in segments for delta in _deltas(segment, choices))
    return Chunk(
        deltas=deltas,
        choices=tuple(_number(choice) for choice in choices),
        finished=tuple(_number(choice) for choice in choices if _is_finished(choice)),
        has_usage=isinstance(value.get("usage"), dict),
        is_only_text=_is_only_text(value, choices, deltas),
        repetitions=tuple(_repetitions(choices)),
    )


def rewrite_chunk(data: bytes, chunk: Chunk, texts: Mapping[Path, str]) -> bytes:
    """The event's JSON with the texts at these paths, and without what repeats them."""
    changes: dict[Path, Change] = {
        delta.path: texts[delta.path]
        for delta in chunk.deltas
        if texts.get(delta.path, delta.text) != delta.text
    }
    for path in chunk.repetitions:
        changes[path] = NULL if path[-1] == "logprobs" else EMPTY_LIST
    return splice(data, changes)


def held_chunk(template: JsonValue, lane: Lane, text: str) -> bytes:
    """A chunk like the template that carries text which was held back, and nothing else."""
    if lane.choice == WHOLE or not isinstance(template, dict):
        raise HouseBug("a text that is complete in its event was held back")
    says = _nested(orjson.loads(lane.part), text)
    choice = {"index": lane.choice, "delta": {}, **says, "finish_reason": None}
    head = {name: template[name] for name in _HEAD if name in template}
    return orjson.dumps({**head, "choices": [choice]})


def is_error(value: JsonValue) -> bool:
    """Whether an event is the provider's own error and carries no part of an answer."""
    return isinstance(value, dict) and value.get("error") is not None and not value.get("choices")


def error_frame(body: Mapping[str, Any]) -> bytes:  # Any: an error's JSON
    """The last event of an answer that cannot go on."""
    return frame(orjson.dumps(dict(body)))


def _no_chunk() -> GatewayError:
    return GatewayError("bad_response", "the provider sent an event that is no part of an answer")


def _choices(value: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    choices = value.get("choices")
    if choices is None:
        return []
    if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
        raise _no_chunk()
    return choices


def _number(choice: dict[str, JsonValue]) -> int:
    number = choice.get("index", 0)
    if not isinstance(number, int) or number < 0:
        raise _no_chunk()
    return number


def _is_finished(choice: dict[str, JsonValue]) -> bool:
    return bool(choice.get("finish_reason"))


# ---- Lanes


def _deltas(segment: Segment, choices: list[dict[str, JsonValue]]) -> Iterator[Delta]:
    data = segment.text.encode()
    for piece in segment.pieces:
        text = data[piece.start : piece.end].decode()
        if text:
            yield Delta(_lane(piece.path, segment.surface, choices), text, piece.path)


def _lane(path: Path, surface: Surface, choices: list[dict[str, JsonValue]]) -> Lane:
    if len(path) < 3 or path[0] != "choices" or not isinstance(path[1], int) or _is_name(path):
        return Lane(WHOLE, surface, _part(path))
    choice = choices[path[1]]
    return Lane(_number(choice), surface, _part(_numbered(choice, path[2:])))


def _is_name(path: Path) -> bool:
    """Whether a path ends at a key, or at the name of a called function."""
    return (
        isinstance(path[-1], Key)
        or path[-2:] == ("function", "name")
        or path[-2:]
        == (
            "function_call",
            "name",
        )
    )


def _numbered(choice: JsonValue, path: Path) -> Path:
    """The path below a choice, with a list's member under its own number where it has one.

    Chunks list only the tool calls that they speak of: the position says nothing.
    """
    numbered: list[PathPart] = []
    value: Any = choice  # Any: the path was made from this value
    for part in path:
        value = value[part]
        own = value.get("index") if isinstance(value, dict) and isinstance(part, int) else None
        numbered.append(own if isinstance(own, int) else part)
    return tuple(numbered)


def _part(path: Path) -> str:
    parts = [[part.name] if isinstance(part, Key) else part for part in path]
    return orjson.dumps(parts).decode()


def _nested(path: list[str | int], text: str) -> Any:  # Any: JSON of the path's shape
    nested: Any = text
    for part in reversed(path):
        if isinstance(part, str):
            nested = {part: nested}
        else:
            nested = [{"index": part, **nested} if isinstance(nested, dict) else nested]
    return nested


# ---- What else a chunk says


def _repetitions(choices: list[dict[str, JsonValue]]) -> Iterator[Path]:
    for index, choice in enumerate(choices):
        delta = choice.get("delta")
        if choice.get("logprobs") is not None:
            yield ("choices", index, "logprobs")
        if isinstance(delta, dict) and delta.get("annotations"):
            yield ("choices", index, "delta", "annotations")


def _is_only_text(
    value: dict[str, JsonValue], choices: list[dict[str, JsonValue]], deltas: tuple[Delta, ...]
) -> bool:
    if value.get("usage") is not None:
        return False
    growing = sum(not delta.is_whole for delta in deltas)
    return growing > 0 and growing == sum(_facts(choice) for choice in choices)


def _facts(value: JsonValue, name: str = "") -> int:
    """How many things a value says, apart from numbering and what repeats its text."""
    if value in (None, "") or name in ("index", "logprobs", "annotations"):
        return 0
    if isinstance(value, dict):
        return sum(_facts(below, below_name) for below_name, below in value.items())
    if isinstance(value, list):
        return sum(_facts(item) for item in value)
    return 1
