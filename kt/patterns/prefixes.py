"""The proper prefixes of a pattern's matches: what makes a start in a growing text undecided.

In: a tree. Out: the tree of the texts u such that some non-empty v makes uv a match, or that end
where an assertion waits for what follows. At the end of a text these are exactly the starts from
which a match may still begin, grow or be confirmed. Never: a tree too deep or too large to print.
"""

from typing import assert_never

from kt.patterns.length import max_length, size
from kt.patterns.parser import parse
from kt.patterns.refusals import refusal
from kt.patterns.syntax import (
    EMPTY,
    NOTHING,
    Assertion,
    Chars,
    Choice,
    Node,
    Repeat,
    Sequence,
    choice,
    depth,
    repeat,
    sequence,
)
from kt.policy import Rule

MAX_SIZE = 60_000
"""Of the program (kt.patterns.length) for a rule, and for its prefixes."""

MAX_DEPTH = 150
_FOLD = 8


def proper_prefixes(node: Node) -> Node:
    """The tree of proper prefixes. Raises PatternError, without a position, if it is too large."""
    prefixes = _prefixes(node)
    if depth(prefixes) > MAX_DEPTH:
        raise refusal("too_deep", 0, 0)
    if size(prefixes) > MAX_SIZE or size(node) > MAX_SIZE:
        raise refusal("too_large", 0, 0)
    return prefixes


def longest_hold(rule: Rule) -> int | None:
    """The most bytes (of the rule's view) that can wait for more text; None: as many as come."""
    return max_length(proper_prefixes(parse(rule.pattern).node))


def longest_match(rule: Rule) -> int | None:
    """The most bytes (of the rule's view) that it can find at once; None: as many as come."""
    return max_length(parse(rule.pattern).node)


def _prefixes(node: Node) -> Node:
    match node:
        case Chars():
            return EMPTY
        case Sequence(items):
            return _of_sequence(items)
        case Choice(options):
            return _union([_prefixes(option) for option in options])
        case Repeat(inner, _, high):
            before = repeat(inner, 0, None if high is None else high - 1)
            return sequence([before, _prefixes(inner)])
        case Assertion.TEXT_START:
            return NOTHING
        case Assertion():
            return EMPTY
        case _:
            assert_never(node)


def _of_sequence(items: tuple[Node, ...]) -> Node:
    """ppref(A B) = ppref(A) | A ppref(B), folded from the right.

    A long sequence is folded in parts of parts, since every fold is one level deeper; the cost is
    that each item is written once more per level.
    """
    if len(items) <= _FOLD:
        parts = items
    else:
        step = -(-len(items) // _FOLD)
        parts = tuple(sequence(items[at : at + step]) for at in range(0, len(items), step))
    result: Node = NOTHING
    for part in reversed(parts):
        result = _union([_prefixes(part), sequence([part, result])])
    return result


def _union(options: list[Node]) -> Node:
    """A choice without what says nothing; duplicates of the empty text are the common case."""
    kept = [option for option in options if option != NOTHING]
    has_empty = EMPTY in kept
    return choice([*([EMPTY] if has_empty else []), *[o for o in kept if o != EMPTY]])
