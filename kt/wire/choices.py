"""Events of an answer made of choices: streamed chats and streamed completions.

In: one event's value and the tables of its format. Out: its texts with the lanes in which they
grow, or an event with held text. Never: remembers an earlier event.

What stands in a choice grows: its lane is the same in every event. What stands outside (and the
name of a function, which providers send in one piece and clients look for there) is complete.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import orjson

from kt.errors import GatewayError
from kt.exchange import Key, Lane, Path, PathPart, Segment
from kt.wire.chunks import NO_USAGE, Chunk, Delta, Usage, Whole, no_event
from kt.wire.json_body import JsonObject, JsonValue, count_of, object_of, objects_of
from kt.wire.segments import Tables, TooManyTexts, segments_of
from kt.wire.splice import EMPTY_LIST, NULL, Change
from kt.wire.sse import frame

DONE = b"[DONE]"

_HEAD = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
"""What an event with held text takes over from a real one."""


# ---- Events


def read_event(tables: Tables, value: JsonValue) -> Chunk:
    """Read one event. Raises GatewayError `bad_response` for what is no part of an answer."""
    if not isinstance(value, dict):
        raise no_event()
    choices = _choices(value)
    try:
        segments = segments_of(value, tables)
    except TooManyTexts:
        raise no_event() from None
    texts = [one for one in segments if _grows(one.pieces[0].path)]
    growing = tuple(_growing(texts, value, choices)) if texts else ()
    others = [one for one in segments if not _grows(one.pieces[0].path)]
    return Chunk(
        growing=growing,
        whole=tuple(map(Whole, others)) if others else (),
        finished=tuple(_number(choice) for choice in choices if choice.get("finish_reason")),
        is_only_text=_is_only_text(value, choices, growing),
        follows_all=_has_usage(value) and not choices,
        repetitions=tuple(_repetitions(choices)),
        usage=usage_of(value) if _has_usage(value) else NO_USAGE,
    )


def held_event(empty: Mapping[str, Any], delta: Delta, text: str) -> bytes:  # Any: JSON
    """An event that carries text which was held back; `empty` is a choice that says nothing."""
    says = _nested(orjson.loads(delta.lane.part), text)
    choice = {"index": delta.lane.choice, **empty, **says, "finish_reason": None}
    return frame(orjson.dumps({**object_of(delta.likeness), "choices": [choice]}))


def is_error(value: JsonValue) -> bool:
    """Whether an event is the provider's own error and carries no part of an answer."""
    return isinstance(value, dict) and value.get("error") is not None and not value.get("choices")


def error_event(error: GatewayError, _number: int) -> bytes:
    """The last event of an answer that cannot go on: OpenAI's envelope."""
    return frame(orjson.dumps(error.body()))


def _choices(value: JsonObject) -> list[JsonObject]:
    choices = value.get("choices")
    if choices is None:
        return []
    if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
        raise no_event()
    for choice in choices:
        _number(choice)
    return choices


def _number(choice: JsonObject) -> int:
    number = choice.get("index", 0)
    if not isinstance(number, int) or number < 0:
        raise no_event()
    return number


def _has_usage(value: JsonObject) -> bool:
    return isinstance(value.get("usage"), dict)


# ---- Lanes


def _growing(texts: list[Segment], value: JsonObject, choices: list[JsonObject]) -> Iterator[Delta]:
    head = {name: value[name] for name in _HEAD if name in value}
    for segment in texts:
        data = segment.text.encode()
        for piece in segment.pieces:
            text = data[piece.start : piece.end].decode()
            yield Delta(_lane(piece.path, segment, choices), text, piece.path, head)


def _grows(path: Path) -> bool:
    is_in_choice = path[0] == "choices" and len(path) >= 3 and isinstance(path[1], int)
    return is_in_choice and not _is_name(path)


def _lane(path: Path, segment: Segment, choices: list[JsonObject]) -> Lane:
    choice = choices[cast("int", path[1])]
    part = orjson.dumps(_numbered(choice, path[2:])).decode()
    return Lane(_number(choice), segment.surface, part)


def _is_name(path: Path) -> bool:
    """Whether a path ends at a key, or at the name of a called function."""
    is_key = isinstance(path[-1], Key)
    return is_key or path[-2:] in (("function", "name"), ("function_call", "name"))


def _numbered(choice: JsonValue, path: Path) -> list[PathPart]:
    """The path below a choice, with a list's member under its own number where it has one.

    Events list only the tool calls that they speak of: the position says nothing.
    """
    numbered: list[PathPart] = []
    value: Any = choice  # Any: the path was made from this value
    for part in path:
        value = value[part]
        own = value.get("index") if isinstance(value, dict) and isinstance(part, int) else None
        numbered.append(own if isinstance(own, int) else part)
    return numbered


def _nested(path: list[str | int], text: str) -> Any:  # Any: JSON of the path's shape
    nested: Any = text
    for part in reversed(path):
        if isinstance(part, str):
            nested = {part: nested}
        else:
            nested = [{"index": part, **nested} if isinstance(nested, dict) else nested]
    return nested


# ---- What else they say


def usage_of(value: JsonValue) -> Usage:
    """The tokens that went in and came out, as far as the provider says."""
    usage = object_of(object_of(value).get("usage"))
    return count_of(usage.get("prompt_tokens")), count_of(usage.get("completion_tokens"))


def repetitions_of(value: JsonValue, edited: Collection[Path]) -> Mapping[Path, Change]:
    """What an edited choice of a whole answer loses: log-probabilities, and citations by offset."""
    changed = {path[1] for path in edited if len(path) > 1 and path[0] == "choices"}
    choices = objects_of(object_of(value).get("choices"))
    return dict(_of_choices([(at, one) for at, one in choices if at in changed], "message"))


def _repetitions(choices: list[JsonObject]) -> Iterator[tuple[Path, Change]]:
    return _of_choices(list(enumerate(choices)), "delta")


def _of_choices(
    choices: list[tuple[int, JsonObject]], message: str
) -> Iterator[tuple[Path, Change]]:
    for at, choice in choices:
        if choice.get("logprobs") is not None:
            yield ("choices", at, "logprobs"), NULL
        if object_of(choice.get(message)).get("annotations"):
            yield ("choices", at, message, "annotations"), EMPTY_LIST


def _is_only_text(value: JsonObject, choices: list[JsonObject], growing: tuple[Delta, ...]) -> bool:
    if value.get("usage") is not None:
        return False
    return bool(growing) and len(growing) == sum(_facts(choice) for choice in choices)


def _facts(value: JsonValue, name: str = "") -> int:
    """How many things a value says, apart from numbering and what repeats its text."""
    if value in (None, "") or name in ("index", "logprobs", "annotations"):
        return 0
    if isinstance(value, dict):
        return sum(_facts(below, below_name) for below_name, below in value.items())
    if isinstance(value, list):
        return sum(_facts(item) for item in value)
    return 1
