"""The meaning of a pattern as a frozen tree, and the error that says why there is none.

Five kinds of node and no flags: `(?i)`, `.`, `\\w` and the like are sets of characters here. Trees
are built by `sequence`, `choice` and `repeat`, which keep one form for what is obviously the same.
"""

from collections.abc import Iterable
from enum import Enum

import attrs

from kt.patterns.characters import Ranges


class Assertion(Enum):
    """What is true between two characters and consumes none."""

    TEXT_START = "text_start"
    TEXT_END = "text_end"
    WORD_BOUNDARY = "word_boundary"
    NOT_WORD_BOUNDARY = "not_word_boundary"


@attrs.frozen
class Chars:
    """One character of a set."""

    ranges: Ranges


@attrs.frozen
class Sequence:
    """One after the other; no items match the empty text."""

    items: "tuple[Node, ...]"


@attrs.frozen
class Choice:
    """Any of the options; no options match nothing at all."""

    options: "tuple[Node, ...]"


@attrs.frozen
class Repeat:
    """At least `low` and at most `high` times (None: any number)."""

    node: "Node"
    low: int
    high: int | None


Node = Chars | Sequence | Choice | Repeat | Assertion

EMPTY = Sequence(())
"""Matches the empty text."""

NOTHING = Choice(())
"""Matches no text."""


class PatternError(Exception):
    """A pattern that cannot be a rule: a code for programs, and where in the pattern it is."""

    def __init__(self, code: str, message: str, start: int, end: int, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


def sequence(items: Iterable[Node]) -> Node:
    """The items one after the other."""
    flat: list[Node] = []
    for item in items:
        if item == NOTHING:
            return NOTHING
        if isinstance(item, Sequence):
            flat.extend(item.items)
        else:
            flat.append(item)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(options: Iterable[Node]) -> Node:
    """Any of the options."""
    flat: list[Node] = []
    for option in options:
        if isinstance(option, Choice):
            flat.extend(option.options)
        else:
            flat.append(option)
    return flat[0] if len(flat) == 1 else Choice(tuple(flat))


def repeat(node: Node, low: int, high: int | None) -> Node:
    """The node `low` to `high` times."""
    if high == 0:
        return EMPTY
    return node if (low, high) == (1, 1) else Repeat(node, low, high)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match node:
        case Sequence(items):
            return items
        case Choice(options):
            return options
        case Repeat(inner):
            return (inner,)
        case Chars() | Assertion():
            return ()


def depth(node: Node) -> int:
    """The number of levels, counted without recursion: it guards the functions that recurse."""
    deepest = 0
    open_nodes = [(node, 1)]
    while open_nodes:
        node, level = open_nodes.pop()
        deepest = max(deepest, level)
        open_nodes.extend((child, level + 1) for child in children(node))
    return deepest
