"""How long a match can be, whether it can be empty, and how large the program for it is."""

from typing import assert_never

from kt.patterns.characters import Ranges
from kt.patterns.syntax import Assertion, Chars, Choice, Node, Repeat, Sequence

_UTF8_STEPS = (0x80, 0x800, 0x10000)
"""The code points from which UTF-8 needs one more byte."""

_RANGE_SIZES = (1, 6, 11, 18)
"""The program of the widest range that ends in a character of one, two, three or four bytes."""


def max_length(node: Node) -> int | None:
    """The UTF-8 bytes of the longest match, None when there is no bound."""
    match node:
        case Chars(ranges):
            return 1 + sum(ranges[-1][1] >= step for step in _UTF8_STEPS) if ranges else 0
        case Sequence(items):
            return _sum([max_length(item) for item in items])
        case Choice(options):
            return _largest([max_length(option) for option in options])
        case Repeat(inner, _, high):
            length = max_length(inner)
            if length == 0:
                return 0
            return None if length is None or high is None else length * high
        case Assertion():
            return 0
        case _:
            assert_never(node)


def _sum(lengths: list[int | None]) -> int | None:
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def _largest(lengths: list[int | None]) -> int | None:
    known = [length for length in lengths if length is not None]
    return max(known, default=0) if len(known) == len(lengths) else None


def is_nullable(node: Node) -> bool:
    """Whether the empty text is a match in some context."""
    match node:
        case Chars():
            return False
        case Sequence(items):
            return all(is_nullable(item) for item in items)
        case Choice(options):
            return any(is_nullable(option) for option in options)
        case Repeat(inner, low, _):
            return low == 0 or is_nullable(inner)
        case Assertion():
            return True
        case _:
            assert_never(node)


def size(node: Node) -> int:
    """About how many instructions an engine needs: repeats count as often as they are copied."""
    match node:
        case Chars(ranges):
            return _set_size(ranges)
        case Sequence(items) | Choice(items):
            return 1 + sum([size(item) for item in items])
        case Repeat(inner, low, high):
            return 1 + size(inner) * max(low, high or 0, 1)
        case Assertion():
            return 1
        case _:
            assert_never(node)


def _set_size(ranges: Ranges) -> int:
    return sum([_range_size(low, high) for low, high in ranges])


def _range_size(low: int, high: int) -> int:
    """The byte ranges that RE2 makes of a range of characters, at most."""
    encoded = 1 + sum(high >= step for step in _UTF8_STEPS)
    return encoded if low == high else _RANGE_SIZES[encoded - 1]
