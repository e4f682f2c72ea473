"""JSON bodies in every spelling, with the address of every token, and cuts of bytes."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import strategies as st

from kt.exchange import Key, Path
from kt.wire.json_body import JsonValue

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", '"', "\\", "/", "\n", "é", "😀", "\u2028", "a@b.com", '{"a": 1}', "[EMAIL]", "\x00"]
)

JsonObject = dict[str, Any]  # Any: JSON


def objects(
    values: st.SearchStrategy[Any], keys: st.SearchStrategy[str] = texts
) -> st.SearchStrategy[JsonObject]:
    """Objects whose keys differ in more than case."""
    pairs = st.lists(st.tuples(keys, values), max_size=4, unique_by=lambda pair: pair[0].casefold())
    return pairs.map(dict)


def json_values(
    leaves: st.SearchStrategy[Any] | None = None, keys: st.SearchStrategy[str] = texts
) -> st.SearchStrategy[JsonValue]:
    """Any JSON value."""
    plain = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | texts
    return st.recursive(
        plain if leaves is None else leaves,
        lambda below: st.lists(below, max_size=3) | objects(below, keys),
        max_leaves=10,
    )


@attrs.frozen
class Token:
    """A piece of a spelled document; `path` is the address of a leaf or key."""

    data: bytes
    path: Path | None = None


@st.composite
def spelled(draw: st.DrawFn, value: JsonValue) -> tuple[Token, ...]:
    """The tokens of a value in any spelling: white space, escapes."""
    return tuple(_tokens(draw, value, ()))


def joined(tokens: tuple[Token, ...]) -> bytes:
    """The document of its tokens."""
    return b"".join(token.data for token in tokens)


def _tokens(draw: st.DrawFn, value: JsonValue, path: Path) -> Iterator[Token]:
    yield _space(draw)
    if isinstance(value, dict):
        yield Token(b"{")
        for at, (name, below) in enumerate(value.items()):
            yield from (Token(b","),) * bool(at)
            yield _space(draw)
            yield Token(_spell(draw, name), (*path, Key(name)))
            yield _space(draw)
            yield Token(b":")
            yield from _tokens(draw, below, (*path, name))
        yield Token(b"}")
    elif isinstance(value, list):
        yield Token(b"[")
        for at, below in enumerate(value):
            yield from (Token(b","),) * bool(at)
            yield from _tokens(draw, below, (*path, at))
        yield Token(b"]")
    elif isinstance(value, str):
        yield Token(_spell(draw, value), path)
    else:
        yield Token(json.dumps(value).encode(), path)
    yield _space(draw)


def _space(draw: st.DrawFn) -> Token:
    return Token(draw(st.sampled_from([b"", b"", b" ", b"\n\t\r "])))


def _spell(draw: st.DrawFn, text: str) -> bytes:
    escaped = draw(st.booleans())
    return json.dumps(text, ensure_ascii=escaped).encode()


def cuts_of(size: int) -> st.SearchStrategy[list[int]]:
    """Places where a text of this size is cut, sorted; the same place twice gives empty pieces."""
    return st.lists(st.integers(0, size), max_size=12).map(sorted)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data cut there."""
    borders = [0, *cuts, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(borders)]


def replaced(value: JsonValue, path: Path, new: Any) -> JsonValue:  # Any: JSON
    """The value with one leaf or key replaced: the specification of a splice."""
    if not path:
        return new  # type: ignore[no-any-return]  # JSON
    part, below = path[0], path[1:]
    if isinstance(value, dict):
        if isinstance(part, Key):
            return {(new if name == part.name else name): one for name, one in value.items()}
        return {
            name: replaced(one, below, new) if name == part else one for name, one in value.items()
        }
    assert isinstance(value, list)
    return [replaced(one, below, new) if at == part else one for at, one in enumerate(value)]
