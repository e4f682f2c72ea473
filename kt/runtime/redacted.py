"""The text as the editing policies of a phase leave it, for policies that may see no more.

In: segments and what was judged on them. Out: segments of redacted text, and the way back from
their offsets to the original's. An edit that touches a token covers all that the token stands for.
"""

import bisect
from collections.abc import Iterable
from itertools import groupby

import attrs

from kt.edits import apply, merge
from kt.exchange import Segment
from kt.policy import Edit, Sees
from kt.runtime.settle import Judged


@attrs.frozen
class Token:
    """A replaced span: UTF-8 byte offsets in the original and in the redacted text."""

    start: int
    end: int
    shown_start: int
    shown_end: int


@attrs.frozen
class RedactedText:
    """The segments of a phase, redacted, and their tokens by segment."""

    segments: tuple[Segment, ...]
    tokens: tuple[tuple[Token, ...], ...]

    def original(self, edit: Edit) -> Edit:
        """The edit of the original text that an edit of the redacted text means."""
        tokens = self.tokens[edit.segment]
        start, end = _original_start(tokens, edit.start), _original_end(tokens, edit.end)
        return attrs.evolve(edit, start=start, end=end)


def redacted(segments: tuple[Segment, ...], judged: Iterable[Judged]) -> RedactedText | None:
    """The redacted text; None where a policy that redacts could not answer, so nobody may see it.

    What its owner wants to become of that trouble does not matter: nobody has looked.
    """
    editors = [one for one in judged if _makes_text(one)]
    if any(one.verdict.outcome.is_trouble for one in editors):
        return None
    edits = sorted((edit for one in editors for edit in one.verdict.edits), key=_segment)
    of_segment = {at: tuple(group) for at, group in groupby(edits, key=_segment)}
    pairs = [_redacted(one, of_segment.get(at, ())) for at, one in enumerate(segments)]
    return RedactedText(tuple(one for one, _ in pairs), tuple(tokens for _, tokens in pairs))


def _makes_text(one: Judged) -> bool:
    return one.step.facts.edits and one.step.facts.sees is Sees.ORIGINAL


def _segment(edit: Edit) -> int:
    return edit.segment


def _redacted(segment: Segment, edits: tuple[Edit, ...]) -> tuple[Segment, tuple[Token, ...]]:
    if not edits:
        return segment, ()
    data = segment.text.encode()
    tokens: list[Token] = []
    shift = 0
    for span in merge(edits):
        size = len(span.replacement(data[span.start : span.end]))
        tokens.append(Token(span.start, span.end, span.start + shift, span.start + shift + size))
        shift += size - (span.end - span.start)
    # It is read and never written, so no leaf of the body belongs to it.
    return Segment(segment.surface, apply(data, edits).decode(), ()), tuple(tokens)


def _original_start(tokens: tuple[Token, ...], offset: int) -> int:
    behind = bisect.bisect_right(tokens, offset, key=lambda token: token.shown_end)
    if behind < len(tokens) and tokens[behind].shown_start <= offset:
        return tokens[behind].start
    return offset if not behind else offset + tokens[behind - 1].end - tokens[behind - 1].shown_end


def _original_end(tokens: tuple[Token, ...], offset: int) -> int:
    begun = bisect.bisect_left(tokens, offset, key=lambda token: token.shown_start)
    if not begun:
        return offset
    last = tokens[begun - 1]
    return last.end if offset <= last.shown_end else offset + last.end - last.shown_end
