"""Print a syntax tree as RE2 text: every set of characters explicit, no flags, no shorthands.

In: a tree. Out: text that RE2, with UTF-8 encoding and longest matches, reads as the same language;
our own parser reads it too. `$` and `^` are printed as the ends of the text.
"""

from types import MappingProxyType
from typing import assert_never

from kt.patterns.characters import EVERY, Ranges, complement
from kt.patterns.syntax import Assertion, Chars, Choice, Node, Repeat, Sequence

_ASSERTIONS = MappingProxyType(
    {
        Assertion.TEXT_START: r"\A",
        Assertion.TEXT_END: r"\z",
        Assertion.WORD_BOUNDARY: r"\b",
        Assertion.NOT_WORD_BOUNDARY: r"\B",
    }
)


def to_re2(node: Node) -> str:
    """Print a tree for RE2."""
    match node:
        case Chars(ranges):
            return _set(ranges)
        case Sequence(items):
            return "".join([_item(item) for item in items])
        case Choice(options):
            return _choice(options)
        case Repeat(inner, low, high):
            return f"(?:{to_re2(inner)}){_quantifier(low, high)}"
        case Assertion():
            return _ASSERTIONS[node]
        case _:
            assert_never(node)


def _item(node: Node) -> str:
    return f"(?:{to_re2(node)})" if isinstance(node, Choice | Sequence) else to_re2(node)


def _choice(options: tuple[Node, ...]) -> str:
    if not options:
        return f"[^{_range(*EVERY[0])}]"
    return "|".join([f"(?:{to_re2(option)})" for option in options])


def _quantifier(low: int, high: int | None) -> str:
    match (low, high):
        case (0, None):
            return "*"
        case (1, None):
            return "+"
        case (0, 1):
            return "?"
        case (_, None):
            return f"{{{low},}}"
        case _:
            return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def _set(ranges: Ranges) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _character(ranges[0][0])
    outside = complement(ranges)
    # WHY: RE2 has a compact program for "everything else", which many small ranges would miss.
    if outside and len(outside) < len(ranges):
        return f"[^{_members(outside)}]"
    return f"[{_members(ranges)}]"


def _members(ranges: Ranges) -> str:
    return "".join([_range(low, high) for low, high in ranges])


def _range(low: int, high: int) -> str:
    return _character(low) if low == high else f"{_character(low)}-{_character(high)}"


def _character(point: int) -> str:
    character = chr(point)
    return character if character.isascii() and character.isalnum() else f"\\x{{{point:x}}}"
