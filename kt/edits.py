"""Merging and applying edits: pure functions over spans of one segment.

Spans that share a character form one span, transitively; adjacent spans stay apart. The label is
that of the member with the smallest start, then highest severity, declared order, rule index: a
total order, so the merge is associative and commutative. A replacement derived from the text is
used only where its span overlaps no other.
"""

from collections.abc import Iterable

import attrs

from kt.policy import Derived, Edit


@attrs.frozen
class Merged:
    """One replaced span: UTF-8 byte offsets and what stands there afterwards."""

    start: int
    end: int
    leader: Edit
    """The member whose label is used."""
    is_alone: bool
    """No other span overlaps it, so a derived replacement may be used."""

    def replacement(self, original: bytes) -> bytes:
        """The bytes that stand for `original`, the bytes of exactly this span."""
        if self.is_alone and self.leader.derived is not None:
            return derive(self.leader.derived, self.leader.label, original.decode()).encode()
        return self.leader.label.encode()


def rank(edit: Edit) -> tuple[int, int, int, int]:
    """The total order of edits: the smallest leads its merged span."""
    return (edit.start, -edit.severity, edit.order, edit.rule)


def merge(edits: Iterable[Edit]) -> tuple[Merged, ...]:
    """Merge the edits of one segment; the result is sorted and its spans are disjoint."""
    merged: list[Merged] = []
    for edit in sorted(set(edits), key=rank):
        if merged and edit.start < merged[-1].end:
            last = merged[-1]
            alone = False
            merged[-1] = Merged(last.start, max(last.end, edit.end), last.leader, alone)
        else:
            merged.append(Merged(edit.start, edit.end, edit, is_alone=True))
    return tuple(merged)


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The text (UTF-8) with every merged span replaced."""
    parts: list[bytes] = []
    at = 0
    for span in merge(edits):
        parts += (data[at : span.start], span.replacement(data[span.start : span.end]))
        at = span.end
    parts.append(data[at:])
    return b"".join(parts)


def derive(how: Derived, label: str, original: str) -> str:
    """A replacement computed from the text: see `Derived`."""
    match how:
        case Derived.PARTIAL:
            kept = original[-4:] if len(original) > 8 else ""
            return "*" * (len(original) - len(kept)) + kept
        case Derived.SAME_LENGTH:
            return label[: len(original)].ljust(len(original), "*")
