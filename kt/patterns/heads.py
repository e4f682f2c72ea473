"""The head of a pattern: how every match begins, up to the first gap.

In: a tree. Out: a tree that every match starts with. Never: a tree that matches the empty text.

`ignore.{0,80}rules` has the head `ignore`. Where the head is not, no match can begin, nor is any
start beyond it undecided; and a head is a small automaton, while a gap makes one that remembers
every place where it may have begun.
"""

from typing import assert_never

from kt.patterns.characters import Ranges
from kt.patterns.length import is_nullable
from kt.patterns.syntax import (
    EMPTY,
    Assertion,
    Chars,
    Choice,
    Node,
    Repeat,
    Sequence,
    choice,
    sequence,
)

GAP_TIMES = 8
GAP_WIDTH = 64
"""A gap is a repeat of at least so many times of a set of at least so many characters."""


def head(node: Node) -> Node | None:
    """How every match begins; None where the pattern has no gap, or begins with one."""
    beginning, is_all = _head(node)
    return None if is_all or is_nullable(beginning) else beginning


def _head(node: Node) -> tuple[Node, bool]:
    """How every match of the node begins, and whether that is all of it."""
    match node:
        case Chars() | Assertion():
            return node, True
        case Sequence(items):
            return _of_sequence(items)
        case Choice(options):
            heads = [_head(option) for option in options]
            return choice([one for one, _ in heads]), all(is_all for _, is_all in heads)
        case Repeat(inner, low, high):
            return _of_repeat(node, inner, low, high)
        case _:
            assert_never(node)


def _of_sequence(items: tuple[Node, ...]) -> tuple[Node, bool]:
    kept: list[Node] = []
    for item in items:
        beginning, is_all = _head(item)
        kept.append(beginning)
        if not is_all:
            return sequence(kept), False
    return sequence(kept), True


def _of_repeat(node: Node, inner: Node, low: int, high: int | None) -> tuple[Node, bool]:
    beginning, is_all = _head(inner)
    if is_all and not _is_gap(inner, high):
        return node, True
    # NOT: one character of a gap as a head. It would stand nearly everywhere.
    return (EMPTY if is_all or not low else beginning), False


def _is_gap(inner: Node, high: int | None) -> bool:
    is_wide = isinstance(inner, Chars) and _width(inner.ranges) >= GAP_WIDTH
    return is_wide and (high is None or high >= GAP_TIMES)


def _width(ranges: Ranges) -> int:
    return sum(high - low + 1 for low, high in ranges)
