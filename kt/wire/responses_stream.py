"""Events of a streamed answer of the responses format.

In: one event's value. Out: its texts with the lanes in which they grow, or an event with held text.
Never: remembers an earlier event.

A text grows in `X.delta` events, ends with `X.done`, which says all of it again, and stands once
more in the events that close its part, its item and the answer. Its lane is its place in the
answer: the number of its item (the `choice`) and the path below it. So every repetition can be
told from a text that is new. A repetition is complete in its event and is judged like any other
text; because judging depends on nothing but the text, it comes out as its lane did.
"""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from types import MappingProxyType

import attrs
import orjson

from kt.errors import GatewayError
from kt.exchange import Embedded, Key, Lane, Path, PathPart, Place, Segment
from kt.wire.chunks import NO_USAGE, Chunk, Delta, Usage, Whole, no_event
from kt.wire.json_body import Ambiguous, JsonObject, JsonValue, count_of, object_of, objects_of
from kt.wire.responses_tables import EVENT, OPENING_EVENT
from kt.wire.segments import TooManyTexts, segments_of
from kt.wire.splice import EMPTY_LIST, Change
from kt.wire.sse import frame

ENDS = frozenset({"response.completed", "response.failed", "response.incomplete"})


@attrs.frozen
class Growth:
    """Where a text that grows stands in its item."""

    field: str
    """The last name on its way; `X.done` has the whole text under it."""
    list_name: str = ""
    """The list whose member holds it, if it is in one."""
    index: str = ""
    """The event's field with the number of that member."""


_GROWS: Mapping[str, Growth] = MappingProxyType(
    {
        "response.output_text": Growth("text", "content", "content_index"),
        "response.reasoning_text": Growth("text", "content", "content_index"),
        "response.refusal": Growth("refusal", "content", "content_index"),
        "response.reasoning_summary_text": Growth("text", "summary", "summary_index"),
        "response.function_call_arguments": Growth("arguments"),
        "response.mcp_call_arguments": Growth("arguments"),
        "response.custom_tool_call_input": Growth("input"),
        "response.code_interpreter_call_code": Growth("code"),
        "response.shell_call_command": Growth("command", "commands", "command_index"),
    }
)
"""The texts of an item that grow. Any other `X.delta` grows too, in a lane of its own name."""

_FORMS = frozenset((growth.list_name, growth.field) for growth in _GROWS.values())

_PARTS = MappingProxyType(
    {
        "response.content_part": ("content", "content_index"),
        "response.reasoning_summary_part": ("summary", "summary_index"),
    }
)
"""Events about one member of an item's list: the list, and the field with the member's number."""

_LIKENESS = ("item_id", "output_index", "content_index", "summary_index", "command_index")
"""What an event with held text takes over from a real one, beside its name and number."""


# ---- Events


def read_event(value: JsonValue) -> Chunk:
    """Read one event. Raises GatewayError `bad_response` for what is no part of an answer."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise no_event()
    name, _, last = value["type"].rpartition(".")
    try:
        segments = segments_of(value, OPENING_EVENT if last == "added" else EVENT)
    except (Ambiguous, TooManyTexts):
        raise no_event() from None
    growing = tuple(_growing(segments, value, last))
    paths = {delta.path for delta in growing}
    whole = (one for one in segments if one.pieces[0].path not in paths)
    return Chunk(
        growing=growing,
        whole=tuple(Whole(one, _place(one.pieces[0].path, value)) for one in whole),
        ended=tuple(_ended(value, name)) if last == "done" else (),
        finished=(_number(value),) if value["type"] == "response.output_item.done" else (),
        is_end=value["type"] in ENDS,
        is_last=value["type"] in ENDS,
        is_failure=value["type"] == "response.failed",
        is_only_text=last == "delta" and len(growing) == len(segments) > 0,
        repetitions=tuple(_repetitions(value)),
        is_repetition=value["type"] == "response.output_text.annotation.added",
        usage=usage_of(value["response"]) if "response" in value else NO_USAGE,
        number=count_of(value.get("sequence_number")),
    )


def held_event(delta: Delta, text: str) -> bytes:
    """An event that carries text which was held back, and nothing else."""
    likeness = object_of(delta.likeness)
    says = _nested(delta.path[1:], text) if delta.path[0] == "delta" else text
    return frame(orjson.dumps({**likeness, "delta": says}), str(likeness["type"]))


def is_error(value: JsonValue) -> bool:
    """Whether an event is the provider's own error."""
    return object_of(value).get("type") == "error"


def error_event(error: GatewayError, number: int) -> bytes:
    """The last event of an answer that cannot go on.

    Beside the format's own fields it has OpenAI's envelope, without which their SDK takes it for an
    event like any other and the answer for complete.
    """
    says = {"type": "error", "code": error.code, "message": error.message, "param": None}
    data = {**says, "sequence_number": number, **error.body()}
    return frame(orjson.dumps(data), "error")


def usage_of(value: JsonValue) -> Usage:
    """The tokens that went in and came out, as far as the provider says."""
    usage = object_of(object_of(value).get("usage"))
    return count_of(usage.get("input_tokens")), count_of(usage.get("output_tokens"))


# ---- Lanes


def _growing(segments: tuple[Segment, ...], value: JsonObject, last: str) -> Iterator[Delta]:
    for segment in segments:
        path = segment.pieces[0].path
        below = _below(path, value)
        if below is None or isinstance(path[-1], Key):
            continue
        if path[0] == "delta" or (last == "added" and _form(below[1]) in _FORMS):
            lane = Lane(below[0], segment.surface, _part(below[1]))
            yield Delta(lane, segment.text, path, _likeness(below, path, value))


def _ended(value: JsonObject, name: str) -> Iterator[Place]:
    """The lanes that end with an event `name.done`."""
    if name in _PARTS:
        list_name, index = _PARTS[name]
        for field in ("text", "refusal"):
            yield _number(value), _part((list_name, _number(value, index), field))
    else:
        yield _number(value), _part(_grown(value, name))


def _place(path: Path, value: JsonObject) -> Place | None:
    below = _below(path, value)
    return None if below is None else (below[0], _part(below[1]))


def _part(path: Path) -> str:
    return orjson.dumps(path).decode()


def _below(path: Path, value: JsonObject) -> tuple[int, Path] | None:
    """Of which item the text at this path of an event is, and where below it; None for no item."""
    name = value["type"].rpartition(".")[0]
    rest = tuple(takewhile(lambda part: not isinstance(part, Embedded | Key), path[1:]))
    match path[0]:
        case "response":
            is_output = rest[:1] == ("output",) and len(rest) > 1 and isinstance(rest[1], int)
            return (_whole(rest[1]), rest[2:]) if is_output else None
        case "item":
            return _number(value), rest
        case "part" if name in _PARTS:
            list_name, index = _PARTS[name]
            return _number(value), (list_name, _number(value, index), *rest)
        case "delta":
            return _number(value), (*_grown(value, name), *rest)
        case field if name in _GROWS and field == _GROWS[name].field:
            return _number(value), _grown(value, name)
    return None


def _grown(value: JsonObject, name: str) -> Path:
    """Where below its item the text of the events `name.delta` stands."""
    growth = _GROWS.get(name)
    if growth is None:
        return (name, _number(value, "content_index"), _number(value, "command_index"))
    if not growth.list_name:
        return (growth.field,)
    return growth.list_name, _number(value, growth.index), growth.field


def _form(below: Path) -> tuple[PathPart, PathPart] | None:
    match below:
        case (str(field),):
            return "", field
        case (str(list_name), int(), str(field)):
            return list_name, field
    return None


def _number(value: JsonObject, field: str = "output_index") -> int:
    return _whole(value.get(field, 0))


def _whole(number: object) -> int:
    if not isinstance(number, int) or number < 0:
        raise no_event()
    return number


# ---- Events with held text


def _likeness(below: tuple[int, Path], path: Path, value: JsonObject) -> JsonObject:
    if path[0] == "delta":
        taken = {name: value[name] for name in _LIKENESS if name in value}
        head = {"type": value["type"], **taken}
    else:
        head = _first_delta(below, path, value)
    return {**head, "sequence_number": count_of(value.get("sequence_number")) or 0}


def _first_delta(below: tuple[int, Path], path: Path, value: JsonObject) -> JsonObject:
    """The head of a delta of a text that began in the event which opened its part or item."""
    number, place = below
    holder: JsonValue = value
    for part in path[:-1]:
        holder = holder[part]  # type: ignore[index]  # the path was made from it
    kind = str(object_of(holder).get("type"))
    names = [name for name, one in _GROWS.items() if (one.list_name, one.field) == _form(place)]
    name = next((name for name in names if kind in name), names[0])
    index = _GROWS[name].index
    item_id = value.get("item_id") or object_of(value.get("item")).get("id")
    numbers = {"output_index": number, **({index: place[1]} if index else {})}
    return {"type": f"{name}.delta", "item_id": item_id, **numbers}


def _nested(path: Path, text: str) -> object:
    nested: object = text
    for part in reversed(path):
        nested = {part: nested} if isinstance(part, str) else [nested]
    return nested


# ---- Repetitions


def _repetitions(value: JsonObject) -> Iterator[tuple[Path, Change]]:
    if value.get("logprobs"):
        yield ("logprobs",), EMPTY_LIST
    yield from of_part(object_of(value.get("part")), ("part",))
    yield from _of_item(object_of(value.get("item")), ("item",))
    output = object_of(value.get("response")).get("output")
    for at, item in objects_of(output):
        yield from _of_item(item, ("response", "output", at))


def _of_item(item: JsonObject, path: Path) -> Iterator[tuple[Path, Change]]:
    for at, part in objects_of(item.get("content")):
        yield from of_part(part, (*path, "content", at))


def of_part(part: JsonObject, path: Path) -> Iterator[tuple[Path, Change]]:
    """What a part has beside its text that repeats it or counts its characters."""
    for name in ("logprobs", "annotations"):
        if part.get(name):
            yield (*path, name), EMPTY_LIST
