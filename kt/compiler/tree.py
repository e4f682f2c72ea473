"""The tree: YAML as it was written, every node with its position."""

from collections.abc import Iterator
from typing import TypeAlias

import attrs

from kt.source import Span

Value: TypeAlias = str | int | float | bool | None


@attrs.frozen
class Scalar:
    """A single value, resolved by the rules of YAML 1.2's core schema."""

    value: Value
    span: Span = attrs.field(eq=False)
    text: str = attrs.field(eq=False)
    """The value before it was resolved: `1.0` of the number 1.0."""
    is_filled: bool = attrs.field(default=False, eq=False)
    """Whether a variable is in it: then it is a string as well, where one is due."""

    @property
    def found(self) -> str:
        """What this is, in words."""
        match self.value:
            case None:
                return "nothing"
            case bool():
                return "true or false"
            case int() | float():
                return "a number"
            case str():
                return "a string"


@attrs.frozen
class Seq:
    """A list."""

    items: tuple["Node", ...]
    span: Span = attrs.field(eq=False)
    found = "a list"


@attrs.frozen
class Entry:
    """A key and its value."""

    key: Scalar
    value: "Node"


@attrs.frozen
class Map:
    """A map; its keys are plain words, no two the same."""

    entries: tuple[Entry, ...]
    span: Span = attrs.field(eq=False)
    found = "a map"

    def get(self, name: str) -> Entry | None:
        """The entry of a key, spelled with `-` or `_`."""
        return next((entry for entry in self.entries if key_name(entry.key) == name), None)


Node: TypeAlias = Scalar | Seq | Map


def key_name(key: Scalar) -> str:
    """The canonical spelling of a key."""
    return key.text.replace("-", "_")


def is_null(node: Node) -> bool:
    """Whether a node says nothing."""
    return isinstance(node, Scalar) and node.value is None


def nodes(node: Node) -> Iterator[Node]:
    """A node and everything in it."""
    yield node
    match node:
        case Seq():
            for item in node.items:
                yield from nodes(item)
        case Map():
            for entry in node.entries:
                yield entry.key
                yield from nodes(entry.value)
        case Scalar():
            pass


def leaves(node: Node) -> Iterator[Scalar]:
    """Every single value in a node, without the keys."""
    match node:
        case Scalar():
            yield node
        case Seq():
            for item in node.items:
                yield from leaves(item)
        case Map():
            for entry in node.entries:
                yield from leaves(entry.value)
