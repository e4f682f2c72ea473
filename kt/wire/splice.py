"""Edit JSON bytes in place.

In: a body and changes by path. Out: the body with exactly those values and keys replaced. Never:
changes the structure, or a byte that no change addresses.

Theory of operation. The changes form a tree that is walked along with the bytes in one pass; what
has no change below it is skipped, not read. A document inside a string is edited by the same
function, and its string is written anew as one token.
"""

import json
import re
from collections.abc import Mapping

import attrs
import orjson

from kt.errors import HouseBug
from kt.exchange import Embedded, Key, Path, PathPart
from kt.wire.json_body import STRING

_SPACE = re.compile(rb"[ \t\r\n]*+")
_SEPARATOR = re.compile(rb"[ \t\r\n]*+[:,\]}]")
_SCALAR = re.compile(rb"[^ \t\r\n,\]}]++")
_BRACKET = re.compile(STRING.pattern + rb"|[\[\]{}]", re.DOTALL)


@attrs.frozen
class Raw:
    """A change that puts this JSON text in place of a whole value."""

    json: bytes


Change = str | Raw
"""A new string (for a number too), or the JSON of a whole value."""

NULL = Raw(b"null")
EMPTY_LIST = Raw(b"[]")


@attrs.define
class _Node:
    """The changes at one place of a document and below it."""

    change: Change | None = None
    below: "dict[PathPart, _Node]" = attrs.field(factory=dict)


def splice(body: bytes, changes: Mapping[Path, Change]) -> bytes:
    """Replace the addressed values and keys and leave every other byte as it is.

    The body must be JSON and hold every addressed place: anything else is a HouseBug, because a
    change that is lost is a text that leaks. A change of a whole value wins over those below it.
    """
    return _spliced(body, _tree(changes)) if changes else body


def _tree(changes: Mapping[Path, Change]) -> _Node:
    root = _Node()
    for path in sorted(changes, key=len):
        node = root
        for part in path:
            if node.change is not None:
                break
            node = node.below.setdefault(part, _Node())
        else:
            node.change = changes[path]
    return root


def _spliced(body: bytes, root: _Node) -> bytes:
    editor = _Editor(body)
    editor.value(editor.skip_space(0), root)
    return editor.result()


class _Editor:
    """One pass over one document."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._parts: list[bytes] = []
        self._copied = 0
        """Everything before it is in `_parts`."""

    def result(self) -> bytes:
        """The whole document, edited."""
        return b"".join((*self._parts, self._body[self._copied :]))

    def value(self, at: int, node: _Node) -> int:
        """Edit the value that starts at `at` and return where it ends."""
        if node.change is not None:
            return self._replace(at, self._end(at), _encoded(node.change))
        embedded = node.below.get(Embedded())
        match self._body[at : at + 1]:
            case b"{":
                return self._object(at, node)
            case b"[":
                return self._array(at, node)
            case b'"' if embedded is not None:
                return self._embedded(at, embedded)
            case _:
                raise HouseBug("a change addresses what is inside a plain value")

    def skip_space(self, at: int) -> int:
        """Where the next token starts."""
        found = _SPACE.match(self._body, at)
        return at if found is None else found.end()

    def _below(self, at: int, node: _Node | None) -> int:
        return self._end(at) if node is None else self.value(at, node)

    def _embedded(self, at: int, node: _Node) -> int:
        end = self._end(at)
        document = json.loads(self._body[at:end]).encode()
        return self._replace(at, end, orjson.dumps(_spliced(document, node).decode()))

    def _object(self, at: int, node: _Node) -> int:
        missing = set(node.below)
        at, token = self._next(at + 1)
        while token != b"}":
            at, name = self._key(at, node, missing)
            missing.discard(name)
            at = self._below(at, node.below.get(name))
            at, token = self._after(at)
        return _found_all(missing, at)

    def _key(self, at: int, node: _Node, missing: set[PathPart]) -> tuple[int, str]:
        """Edit a key if it is addressed; where its value starts, and its name."""
        end = self._end(at)
        name: str = json.loads(self._body[at:end])
        renamed = node.below.get(Key(name))
        if renamed is not None and renamed.change is not None:
            missing.discard(Key(name))
            self._replace(at, end, _encoded(renamed.change))
        return self._after(end)[0], name

    def _array(self, at: int, node: _Node) -> int:
        missing = set(node.below)
        index = 0
        at, token = self._next(at + 1)
        while token != b"]":
            missing.discard(index)
            at = self._below(at, node.below.get(index))
            at, token = self._after(at)
            index += 1
        return _found_all(missing, at)

    def _next(self, at: int) -> tuple[int, bytes]:
        """The next token's place and first byte; behind it if it closes an empty container."""
        at = self.skip_space(at)
        token = self._body[at : at + 1]
        return (at + 1 if token in (b"}", b"]") else at), token

    def _after(self, at: int) -> tuple[int, bytes]:
        """The separator behind a value or key: where what follows it starts, and the separator."""
        found = _SEPARATOR.match(self._body, at)
        if found is None:
            raise HouseBug("the body to edit is not JSON")
        token = found[0][-1:]
        return (self.skip_space(found.end()) if token in b":," else found.end()), token

    def _end(self, at: int) -> int:
        """Where the value at `at` ends, without a look at what it holds."""
        first = self._body[at : at + 1]
        if first in (b"{", b"["):
            return self._closing(at)
        found = (STRING if first == b'"' else _SCALAR).match(self._body, at)
        if found is None:
            raise HouseBug("the body to edit is not JSON")
        return found.end()

    def _closing(self, at: int) -> int:
        depth = 0
        for token in _BRACKET.finditer(self._body, at):
            first = token[0][:1]
            if first != b'"':
                depth += 1 if first in b"{[" else -1
                if depth == 0:
                    return token.end()
        raise HouseBug("the body to edit is not JSON")

    def _replace(self, start: int, end: int, new: bytes) -> int:
        self._parts += (self._body[self._copied : start], new)
        self._copied = end
        return end


def _found_all(missing: set[PathPart], at: int) -> int:
    if missing:
        raise HouseBug("a change addresses what the body does not hold")
    return at


def _encoded(change: Change) -> bytes:
    return change.json if isinstance(change, Raw) else orjson.dumps(change)
