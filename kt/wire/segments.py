"""Every text of a JSON value as segments, and edits of segments as bytes.

In: a value and the tables of its format. Out: segments with their surfaces and paths. Never: skips
a string or a key that no table exempts; the tables exempt names and values that are vocabulary, and
payloads that are not text.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

import attrs

from kt.edits import Merged, merge
from kt.exchange import Embedded, Key, Path, Piece, Segment, Surface
from kt.policy import Edit
from kt.wire.json_body import JsonValue, Number, parse_embedded
from kt.wire.splice import Change, splice

MAX_SEGMENTS = 50_000
"""The most texts of one body: each costs memory and a search, however short it is."""


class TooManyTexts(Exception):
    """A body has more texts than anybody means."""


@attrs.frozen(kw_only=True)
class Tables:
    """The tables of one body: what is vocabulary, and which surface stands where."""

    keys: frozenset[str]
    """Names of fields. As keys they say nothing, wherever they stand."""
    values: Mapping[str, frozenset[str]]
    """Field name -> its words. The value of such a field is exempt if it is one of them."""
    payloads: Mapping[str, Callable[[str], bool]]
    """Field name -> whether this value of it is binary data and no text."""
    exempt: frozenset[Path]
    """Places that are exempt with all that is below them: paths without list indexes, so that
    one entry covers all members of a list."""
    surfaces: Mapping[str, Surface]
    """Field name -> the surface of everything below it."""
    roles: Mapping[str, Surface]
    """Value of `role` -> the surface of the object that has it."""
    embedded: frozenset[str]
    """Fields whose string is a JSON document."""
    types: Mapping[str, Surface] = MappingProxyType({})
    """Value of `type` -> the surface of the object that has it; it is nearer than a role."""
    documents: frozenset[str] = frozenset()
    """Fields whose value is a tool's own document: its numbers and all of its keys are read."""
    joins_parts: bool = True
    """Whether adjacent text parts are one text (decision 021: not in answers made of parts)."""


@attrs.frozen
class _Place:
    """Where the walk is."""

    path: Path = ()
    names: Path = ()
    """The path without list indexes."""
    field: str = ""
    """The last name on the way."""
    surface: Surface = Surface.OTHER

    def item(self, index: int) -> "_Place":
        return _Place((*self.path, index), self.names, self.field, self.surface)

    def member(self, name: str, surface: Surface) -> "_Place":
        return _Place((*self.path, name), (*self.names, name), name, surface)


def segments_of(
    value: JsonValue, tables: Tables, surface: Surface = Surface.OTHER
) -> tuple[Segment, ...]:
    """Every text that the tables do not exempt, in the order of the body.

    `surface` is that of the body itself, where nothing in it says another.

    Raises TooManyTexts, and kt.wire.json_body.Ambiguous for a document in a string that readers
    read differently.
    """
    return _bounded(_walk(value, _Place(surface=surface), tables))


def _bounded(segments: Iterator[Segment]) -> tuple[Segment, ...]:
    found = tuple(islice(segments, MAX_SEGMENTS + 1))
    if len(found) > MAX_SEGMENTS:
        raise TooManyTexts
    return found


def _walk(value: JsonValue, place: _Place, tables: Tables) -> Iterator[Segment]:
    if place.names in tables.exempt:
        return
    match value:
        case str():
            yield from _string(value, place, tables)
        case dict():
            yield from _object(value, place, tables)
        case list():
            yield from _list(value, place, tables)


def _object(value: dict[str, JsonValue], place: _Place, tables: Tables) -> Iterator[Segment]:
    own = _own_surface(value, place, tables)
    if "data" in value and value.get("type") == "text":
        tables = attrs.evolve(tables, payloads={})  # it says itself that it is none
    for name, below in value.items():
        is_known = name in tables.keys
        if not is_known:
            yield from _leaf(name, (*place.path, Key(name)), Surface.OTHER)
        if name in tables.documents and is_known and isinstance(below, dict | list):
            yield from _arguments(below, (*place.path, name))
            continue
        surface = tables.surfaces.get(name, own) if is_known else _unknown(own)
        yield from _walk(below, place.member(name, surface), tables)


def _own_surface(value: dict[str, JsonValue], place: _Place, tables: Tables) -> Surface:
    kind = value.get("type") if tables.types else None
    if isinstance(kind, str) and kind in tables.types:
        return tables.types[kind]
    role = value.get("role") if tables.roles else None
    return tables.roles.get(role, place.surface) if isinstance(role, str) else place.surface


def _unknown(surface: Surface) -> Surface:
    """What an unknown field's text is: in a tool's schema names are the author's, so the tool's."""
    return surface if surface is Surface.TOOL_DESCRIPTION else Surface.OTHER


def _list(items: list[JsonValue], place: _Place, tables: Tables) -> Iterator[Segment]:
    """Adjacent text parts are one segment: whoever reads them reads one text."""
    texts: list[tuple[Path, str]] = []
    for index, item in enumerate(items):
        text = _text_of(item) if tables.joins_parts else None
        if text is None:
            yield from _joined(texts, place.surface)
            texts = []
            yield from _walk(item, place.item(index), tables)
        else:
            texts.append(((*place.path, index, "text"), text))
            yield from _walk(_without_text(item), place.item(index), tables)
    yield from _joined(texts, place.surface)


def _text_of(item: JsonValue) -> str | None:
    text = item.get("text") if isinstance(item, dict) else None
    return text if isinstance(text, str) else None


def _without_text(part: JsonValue) -> JsonValue:
    if not isinstance(part, dict):
        return part
    return {name: below for name, below in part.items() if name != "text"}


def _joined(texts: list[tuple[Path, str]], surface: Surface) -> Iterator[Segment]:
    pieces = []
    at = 0
    for path, text in texts:
        end = at + len(text.encode())
        pieces.append(Piece(path, at, end))
        at = end
    if at:
        yield Segment(surface, "".join(text for _, text in texts), tuple(pieces))


def _string(text: str, place: _Place, tables: Tables) -> Iterator[Segment]:
    if place.field in tables.embedded:
        yield from _embedded(text, place.path)
    elif not _is_exempt(text, place, tables):
        yield from _leaf(text, place.path, place.surface)


def _is_exempt(text: str, place: _Place, tables: Tables) -> bool:
    is_payload = tables.payloads.get(place.field)
    is_word = text in tables.values.get(place.field, ())
    return is_word or (is_payload is not None and is_payload(text))


def _leaf(text: str, path: Path, surface: Surface) -> Iterator[Segment]:
    if text:
        yield Segment(surface, text, (Piece(path, 0, len(text.encode())),))


# ---- Documents inside strings


def argument_segments(text: str) -> tuple[Segment, ...]:
    """The texts of tool arguments on their own. Raises as `segments_of` does."""
    return _bounded(_embedded(text, ()))


def _embedded(text: str, path: Path) -> Iterator[Segment]:
    """The strings, keys and numbers of a document; all of it as one text if it is none."""
    try:
        value = parse_embedded(text)
    except ValueError:
        yield from _leaf(text, path, Surface.TOOL_ARGUMENTS)
    else:
        yield from _arguments(value, (*path, Embedded()))


def _arguments(value: JsonValue | Number, path: Path) -> Iterator[Segment]:
    match value:
        case str():
            yield from _leaf(value, path, Surface.TOOL_ARGUMENTS)
        case Number():
            yield from _leaf(value.text, path, Surface.TOOL_ARGUMENTS)
        case bool() | None:
            return
        case int() | float():
            yield from _leaf(str(value), path, Surface.TOOL_ARGUMENTS)
        case list():
            for index, item in enumerate(value):
                yield from _arguments(item, (*path, index))
        case dict():
            for name, below in value.items():
                yield from _leaf(name, (*path, Key(name)), Surface.TOOL_ARGUMENTS)
                yield from _arguments(below, (*path, name))


# ---- Edits


def apply_edits(body: bytes, segments: tuple[Segment, ...], edits: Iterable[Edit]) -> bytes:
    """The body with all edits of its segments merged and made, everything else byte for byte."""
    return splice(body, changes_of(segments, edits))


def changes_of(segments: tuple[Segment, ...], edits: Iterable[Edit]) -> dict[Path, Change]:
    """What the edits put in place of which leaf. A replacement goes where its span starts."""
    by_segment: dict[int, list[Edit]] = {}
    for edit in edits:
        by_segment.setdefault(edit.segment, []).append(edit)
    changes: dict[Path, Change] = {}
    for index, found in by_segment.items():
        data = segments[index].text.encode()
        spans = merge(found)
        starts = [span.start for span in spans]
        ends = [span.end for span in spans]
        for piece in segments[index].pieces:
            first = bisect_right(ends, piece.start)
            behind = bisect_left(starts, piece.end)
            if first < behind:
                changes[piece.path] = _edited(data, piece, spans[first:behind])
    _keep_keys_apart(segments, changes)
    return changes


def _keep_keys_apart(segments: tuple[Segment, ...], changes: dict[Path, Change]) -> None:
    """Number keys that a replacement would make equal: each reader would keep another value."""
    edited = [path for path in changes if path and isinstance(path[-1], Key)]
    if not edited:
        return
    paths = [piece.path for segment in segments for piece in segment.pieces]
    taken = {
        (path[:-1], path[-1].name.casefold())
        for path in paths
        if path and isinstance(path[-1], Key) and path not in changes
    }
    numbers: dict[tuple[Path, str], int] = {}
    """The last number given, so that many equal keys do not search it again and again."""
    for path in edited:
        label = new = str(changes[path])
        number = numbers.get((path[:-1], label), 1)
        while (path[:-1], new.casefold()) in taken:
            number += 1
            new = f"{label} {number}"
        numbers[path[:-1], label] = number
        taken.add((path[:-1], new.casefold()))
        changes[path] = new


def _edited(data: bytes, piece: Piece, spans: tuple[Merged, ...]) -> str:
    parts = []
    at = piece.start
    for span in spans:
        parts.append(data[at : max(at, span.start)])
        if span.start >= piece.start:
            parts.append(span.replacement(data[span.start : span.end]))
        at = min(span.end, piece.end)
    parts.append(data[at : piece.end])
    return b"".join(parts).decode()
