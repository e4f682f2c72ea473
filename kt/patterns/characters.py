r"""Sets of characters as sorted, disjoint ranges of code points; the pinned meanings of names.

What `\w` and `(?i)` mean is decided here and nowhere else; the engines only ever see ranges.
"""

from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]
"""Sorted, disjoint, not adjacent; both ends are included."""

LAST = 0x10FFFF
_LAST_CASED = 0x1FFFF
"""No character beyond this plane has case variants; it keeps the expansion of a range short."""

EVERY: Ranges = ((0, LAST),)
NOT_NEWLINE: Ranges = ((0, 9), (11, LAST))
DIGIT: Ranges = ((0x30, 0x39),)
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: Ranges = ((0x09, 0x0D), (0x20, 0x20))


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Bring ranges in any order into the one form of their set."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """Every code point that is not in the set."""
    gaps: list[tuple[int, int]] = []
    free = 0
    for low, high in ranges:
        if free < low:
            gaps.append((free, low - 1))
        free = high + 1
    return (*gaps, (free, LAST)) if free <= LAST else tuple(gaps)


def contains(ranges: Ranges, point: int) -> bool:
    """Whether the set has this code point."""
    return any(low <= point <= high for low, high in ranges)


def both_cases(ranges: Ranges) -> Ranges:
    """The set with the other case of each of its letters.

    ASCII letters pair with ASCII letters only (`k` does not bring in the Kelvin sign); others with
    their single-character lower and upper forms.
    """
    extra: list[tuple[int, int]] = []
    for low, high in ranges:
        extra += _ascii_twins(low, high)
        extra += [
            (twin, twin)
            for point in range(max(low, 0x80), min(high, _LAST_CASED) + 1)
            for twin in _twins(chr(point))
        ]
    return union((*ranges, *extra))


def _ascii_twins(low: int, high: int) -> list[tuple[int, int]]:
    shifted = []
    for first, last, shift in ((0x41, 0x5A, 32), (0x61, 0x7A, -32)):
        start, end = max(low, first), min(high, last)
        if start <= end:
            shifted.append((start + shift, end + shift))
    return shifted


def _twins(character: str) -> list[int]:
    forms = (character.lower(), character.upper())
    return [ord(form) for form in forms if len(form) == 1 and not form.isascii()]
