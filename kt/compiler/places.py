"""Where the characters of a scalar stand in the source, however YAML wrote them.

In: a source text and a scalar of it. Out: offsets, None where text and source do not correspond.

YAML changes only what is no letter: it folds lines, strips indentation and undoes escapes. So the
two are read side by side, spaces left out, and a text that was changed later is never mistaken.
"""

import re
from collections.abc import Iterable, Iterator

from kt.compiler.tree import Scalar
from kt.source import Span

_SINGLE = re.compile(r"''|\S")
_DOUBLE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|.)|\S")
_ANY = re.compile(r"\S")

_BLANK = frozenset("nrtvN_LP \t\n\r")
"""Escapes of what counts as a space."""


def span_inside(text: str, scalar: Scalar, start: int, end: int) -> Span:
    """The span of some characters of a scalar, the whole scalar where that is not known."""
    places = places_of(text, scalar)
    return scalar.span if places is None else between(places, start, end)


def between(places: tuple[int, ...], start: int, end: int) -> Span:
    """The span of characters whose places are known, cut to them."""
    last = len(places) - 1
    start, end = min(start, last), min(end, last)
    return Span(places[start], places[start] if end <= start else places[end - 1] + 1)


def places_of(text: str, scalar: Scalar) -> tuple[int, ...] | None:
    """For every character of a scalar where it stands, and where it ends."""
    at, last, pattern = _content(text, scalar.span)
    written = _written(pattern.finditer(text, at, last))
    places = []
    for character in scalar.text:
        end = at + text.startswith(character, at, last)
        if not character.isspace():
            spelled, at, end = next(written, ("", 0, 0))
            if spelled != character:
                return None
        places.append(at)
        at = end
    return (*places, at)


def _content(text: str, span: Span) -> tuple[int, int, re.Pattern[str]]:
    """What stands between the quotes, or below the mark of a block, and how it is read."""
    start, end = span.start, span.end
    match text[start : start + 1]:
        case "|" | ">":
            return text.find("\n", start, end) + 1 or end, end, _ANY
        case "'":
            return start + 1, end - 1, _SINGLE
        case '"':
            return start + 1, end - 1, _DOUBLE
        case _:
            return start, end, _ANY


def _written(found: Iterable[re.Match[str]]) -> Iterator[tuple[str, int, int]]:
    """What is no space, and from where to where it is written."""
    for one in found:
        meant = _meant(one[0])
        if meant:
            yield meant, one.start(), one.end()


def _meant(spelled: str) -> str:
    """The character that is meant, nothing for a space; an unusual escape is left as it is."""
    if len(spelled) == 1 or spelled == "''":
        return spelled[0]
    if spelled[1] in "xuU":
        code = int(spelled.lstrip("\\xuU"), 16)
        character = chr(code) if code <= 0x10FFFF else spelled
        return "" if character.isspace() else character
    if spelled[1] in _BLANK:
        return ""
    return spelled[1] if spelled[1] in '"\\/' else spelled
