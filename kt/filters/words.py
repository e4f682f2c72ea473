"""A word that a pattern probably matches, as a candidate for a witness."""

from typing import assert_never

from kt.patterns.syntax import Assertion, Chars, Choice, Node, Repeat, Sequence

_LIKED = "a0-_ "
"""Tried first, so that a witness looks like text."""

LONGEST = 1000


def word_of(node: Node) -> str:
    """A short word of a tree's language if its assertions happen to hold; the caller checks."""
    match node:
        case Chars(ranges):
            liked = (one for one in _LIKED if any(low <= ord(one) <= high for low, high in ranges))
            return next(liked, chr(ranges[0][0]) if ranges else "")
        case Sequence(items):
            return "".join([word_of(item) for item in items])[:LONGEST]
        case Choice(options):
            return min([word_of(option) for option in options], key=len, default="")
        case Repeat(inner, low, _):
            return (word_of(inner) * low)[:LONGEST]
        case Assertion():
            return ""
        case _:
            assert_never(node)
