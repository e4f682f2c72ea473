"""Positions: where in which text something was written.

Offsets count characters (not bytes) of the text without its byte-order mark.
"""

import bisect
from functools import cached_property

import attrs


@attrs.frozen
class Span:
    """A half-open range of character offsets in one source text."""

    start: int
    end: int

    def covering(self, other: "Span") -> "Span":
        """The smallest span that contains both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


NOWHERE = Span(0, 0)
"""The position of what no text wrote (a default, a flag)."""


@attrs.frozen(slots=False)
class Source:
    """One named text, able to turn offsets into lines and columns."""

    name: str
    text: str = attrs.field(repr=False)

    @cached_property
    def _line_starts(self) -> tuple[int, ...]:
        starts = [0]
        starts.extend(at + 1 for at, character in enumerate(self.text) if character == "\n")
        return tuple(starts)

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, both counted from one, columns in characters."""
        line = bisect.bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from one) without its line break."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")

    def place(self, span: Span) -> str:
        """`name:line:column` of a span's start, the form that editors and CI systems link."""
        line, column = self.position(span.start)
        return f"{self.name}:{line}:{column}"
