"""Find rules in a text that grows, and know how far it is decided.

In: pieces of one text. Out: findings, final, in original UTF-8 byte offsets, and the frontier:
below it every rule is decided. Never: a finding that is later revoked or starts below a frontier
that was shown before.

Theory of operation. A start is *live* while the text from there to the end is a proper prefix of
some match (`kt.patterns.prefixes`): it may still begin, grow or be confirmed. All starts before
the first live one are decided. So one offset per view, the `_decided` one, says which starts are
done, and per rule at most one more: the end of its last match, where that lies beyond, since starts
inside a match are dead. Each piece costs two questions in the common case: where is the first live
start of all rules together, and does any rule match before it? Of a rule with a gap only its head
is asked for (`kt.patterns.heads`). Only where something was found are the rules asked one by one.
The end of the text is the same step with no live starts.

The engine is behind `Expression`; nothing here knows RE2.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import attrs

from kt.patterns.views import GrowingView
from kt.policy import Finding, View

IsOver = Callable[[], bool]
"""Asked before each further search of one rule: whether there is no time left."""


def never() -> bool:
    """There is always time."""
    return False


class OutOfTime(Exception):
    """The time that the caller gave is over; what was found so far is not complete."""


class Expression(Protocol):
    """A compiled pattern, asked about UTF-8 bytes; offsets outside [at, end) give context only."""

    def search(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Find the leftmost, longest match that starts at `at` or later."""

    def match(self, data: bytes, at: int, end: int) -> int | None:
        """Find the end of the longest match that starts at `at` and ends at `end` or before."""


@attrs.frozen
class Languages:
    """What one or several rules, or their heads, match, and its proper prefixes at the end."""

    matches: Expression
    prefixes: Expression


@attrs.frozen
class Matcher:
    """One rule, compiled."""

    rule: int
    """Its index in the rule set."""
    matches: Expression
    prefixes: Expression
    """Proper prefixes of matches, at the end of the data."""
    heads: Languages | None
    """How matches of a rule with a gap begin."""
    is_valid: Callable[[bytes], bool] | None


@attrs.frozen
class Lens:
    """The rules that look at one view."""

    view: View
    matchers: tuple[Matcher, ...]
    whole: tuple[Languages, ...]
    """Rules without a gap, asked together."""
    heads: tuple[Languages, ...]
    """The heads of rules with a gap, asked together."""


class Scanner:
    """One growing text under a set of rules."""

    def __init__(self, lenses: tuple[Lens, ...], is_over: IsOver = never) -> None:
        self._tracks = tuple(_Track(lens, is_over) for lens in lenses)
        self._pending: list[Finding] = []
        self._size = 0

    @property
    def frontier(self) -> int:
        """The original byte offset below which all rules are decided; it never moves back."""
        return min((track.frontier for track in self._tracks), default=self._size)

    def feed(self, text: str) -> tuple[Finding, ...]:
        """Add a piece. Return the findings that start below the new frontier, sorted."""
        return self._advance(text, is_last=False)

    def finish(self, text: str = "") -> tuple[Finding, ...]:
        """Add the last piece. Return all findings that `feed` has not, sorted."""
        return self._advance(text, is_last=True)

    def _advance(self, text: str, *, is_last: bool) -> tuple[Finding, ...]:
        self._size += len(text) if text.isascii() else len(text.encode())
        for track in self._tracks:
            self._pending += track.advance(text, is_last=is_last)
        if not self._pending:
            return ()
        # WHY: a view may be ahead of another; waiting keeps the findings in one order for any cut.
        frontier = self.frontier
        final = sorted((found for found in self._pending if found.start < frontier), key=_by_start)
        self._pending = [found for found in self._pending if found.start >= frontier]
        return tuple(final)


def _by_start(found: Finding) -> tuple[int, int, int]:
    return (found.start, found.rule, found.end)


class _Track:
    """The rules of one view, at work on one growing text. Offsets are those of the view."""

    def __init__(self, lens: Lens, is_over: IsOver) -> None:
        self._lens = lens
        self._is_over = is_over
        self._text = GrowingView(lens.view)
        self._decided = 0
        self._ends: dict[int, int] = {}
        """Rule -> end of its last match, only where that lies beyond what is decided."""

    @property
    def frontier(self) -> int:
        """The first undecided start, in the original text."""
        return self._text.original_start(self._decided)

    def advance(self, text: str, *, is_last: bool) -> Iterator[Finding]:
        """Add a piece; all of what became final is found before this returns."""
        self._text.append(text)
        first_live = self._together(is_last=is_last)
        spans: list[tuple[int, int, int]] = []
        if first_live is None:
            first_live, spans = self._one_by_one(is_last=is_last)
        found = [
            Finding(rule, self._text.original_start(start), self._text.original_end(end))
            for rule, start, end in spans
        ]
        self._decided = first_live
        self._ends = {rule: end for rule, end in self._ends.items() if end > first_live}
        # One byte stays behind: what `^` and `\b` need to know.
        self._text.forget(first_live - 1)
        return iter(found)

    def _together(self, *, is_last: bool) -> int | None:
        """The first live start, if all rules can be answered at once."""
        if self._ends:
            return None
        data, at = self._text.data, self._decided - self._text.start
        live = len(data)
        for union in (*self._lens.whole, *self._lens.heads) if not is_last else ():
            live = min(live, _first_live(union.prefixes, data, at))
        for union in self._lens.whole if at < live else ():
            found = union.matches.search(data, at)
            if found is not None and found[0] < live:
                return None
        if any(union.matches.search(data, at) is not None for union in self._lens.heads):
            return None
        return live + self._text.start

    def _one_by_one(self, *, is_last: bool) -> tuple[int, list[tuple[int, int, int]]]:
        """The first live start and every rule's new matches before its own first live start."""
        data, start = self._text.data, self._text.start
        spans: list[tuple[int, int, int]] = []
        first_live = len(data)
        for matcher in self._lens.matchers:
            at = max(self._decided, self._ends.get(matcher.rule, 0)) - start
            live = len(data) if is_last else _first_live_of(matcher, data, at)
            while (span := self._next_match(matcher, data, at, live)) is not None:
                at = span[1]
                spans.append((matcher.rule, span[0] + start, at + start))
                self._ends[matcher.rule] = at + start
                if at > live:
                    live = _first_live_of(matcher, data, at)
            first_live = min(first_live, live)
        return first_live + start, spans

    def _next_match(
        self, matcher: Matcher, data: bytes, at: int, before: int
    ) -> tuple[int, int] | None:
        """The next match that is valid and starts below `before`. Raises OutOfTime.

        A candidate that the validator rejects takes no text: shorter ends, then later starts
        follow.
        """
        while at < before:
            if self._is_over():
                raise OutOfTime
            found = _next_candidate(matcher, data, at)
            if found is None or found[0] >= before:
                return None
            end = _valid_end(matcher, data, *found)
            if end is not None:
                return found[0], end
            at = found[0] + 1
        return None


def _first_live(prefixes: Expression, data: bytes, at: int) -> int:
    found = prefixes.search(data, at)
    return len(data) if found is None else found[0]


def _first_live_of(matcher: Matcher, data: bytes, at: int) -> int:
    """Only from where a head stands on can more than a head be waited for."""
    if matcher.heads is None:
        return _first_live(matcher.prefixes, data, at)
    live = _first_live(matcher.heads.prefixes, data, at)
    beginning = matcher.heads.matches.search(data, at)
    if beginning is None or beginning[0] >= live:
        return live
    return min(live, _first_live(matcher.prefixes, data, beginning[0]))


def _next_candidate(matcher: Matcher, data: bytes, at: int) -> tuple[int, int] | None:
    if matcher.heads is not None:
        beginning = matcher.heads.matches.search(data, at)
        if beginning is None:
            return None
        at = beginning[0]
    return matcher.matches.search(data, at)


def _valid_end(matcher: Matcher, data: bytes, start: int, longest: int) -> int | None:
    if matcher.is_valid is None:
        return longest
    end: int | None = longest
    while end is not None and not matcher.is_valid(data[start:end]):
        end = matcher.matches.match(data, start, end - 1)
    return end
