"""Redacted text for policies that may see no more, and the way back to the original."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.edits import apply
from kt.exchange import Segment, Surface
from kt.policy import ALLOW, Edit, OnTrouble, Outcome, Sees, Verdict
from kt.runtime.redacted import RedactedText, redacted
from kt.runtime.settle import Judged
from tests.support.plans import scan_step

EDITOR = scan_step("editor", "a")
TEXT = "häst ann@example.com, and 😀 more"


def segments(*texts: str) -> tuple[Segment, ...]:
    return tuple(Segment(Surface.USER, text, ()) for text in texts)


def view_of(text: str, *edits: Edit) -> RedactedText:
    """What is seen of a text with these edits."""
    verdict = Verdict(outcome=Outcome.REDACT, edits=edits)
    view = redacted(segments(text), [Judged(EDITOR, verdict)])
    assert view is not None
    return view


@st.composite
def edits(draw: st.DrawFn, text: str = TEXT, most: int = 4) -> tuple[Edit, ...]:
    """Edits at the borders of characters."""
    borders = [len(text[:at].encode()) for at in range(len(text) + 1)]
    spans = st.lists(st.sampled_from(borders), min_size=2, max_size=2, unique=True).map(sorted)
    labels = st.sampled_from(["", "#", "[NAME]", "[é]"])
    made = st.builds(lambda span, label: Edit(0, span[0], span[1], label), spans, labels)
    return tuple(draw(st.lists(made, max_size=most)))


def meant_by(edit: Edit, whole: RedactedText) -> tuple[int, int]:
    """The same span, found byte by byte: every byte of the view knows what it stands for."""
    origins: list[tuple[int, int]] = []
    at = 0
    for token in whole.tokens[0]:
        origins += [(byte, byte + 1) for byte in range(at, token.start)]
        origins += [(token.start, token.end)] * (token.shown_end - token.shown_start)
        at = token.end
    origins += [(byte, byte + 1) for byte in range(at, len(TEXT.encode()))]
    touched = origins[edit.start : edit.end]
    return touched[0][0], touched[-1][1]


@given(edits(), st.data())
def test_an_edit_of_the_view_covers_all_that_it_touches(
    first: tuple[Edit, ...], data: st.DataObject
) -> None:
    view = view_of(TEXT, *first)
    shown = view.segments[0].text
    assert shown.encode() == apply(TEXT.encode(), first)
    for second in data.draw(edits(shown)) if shown else ():
        found = view.original(second)
        assert (found.start, found.end) == meant_by(second, view)
        assert found.label == second.label


def test_the_law_finds_a_map_that_only_shifts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: offsets are taken as they are, so half a token's original would stay."""
    monkeypatch.setattr("kt.runtime.redacted._original_end", lambda tokens, offset: offset)
    with pytest.raises(AssertionError):
        test_an_edit_of_the_view_covers_all_that_it_touches()


@pytest.mark.parametrize("trouble", [Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE])
@pytest.mark.parametrize("on_trouble", OnTrouble)
def test_nobody_may_see_what_an_editor_has_not_looked_at(
    trouble: Outcome, on_trouble: OnTrouble
) -> None:
    editor = attrs.evolve(EDITOR, on_trouble=on_trouble)
    assert redacted(segments("a"), [Judged(editor, Verdict(outcome=trouble))]) is None


def test_trouble_of_others_hides_nothing() -> None:
    reader = attrs.evolve(EDITOR, facts=attrs.evolve(EDITOR.facts, sees=Sees.REDACTED))
    finder = attrs.evolve(EDITOR, facts=attrs.evolve(EDITOR.facts, edits=False))
    judged = [Judged(one, Verdict(outcome=Outcome.LATE)) for one in (reader, finder)]
    view = redacted(segments("a", "b"), [*judged, Judged(EDITOR, ALLOW)])
    assert view is not None
    assert view.segments == segments("a", "b")


def test_segments_are_redacted_each_for_itself() -> None:
    found = (Edit(1, 0, 1, "#"), Edit(0, 1, 2, "##"))
    verdict = Verdict(outcome=Outcome.REDACT, edits=found)
    view = redacted(segments("ab", "ab"), [Judged(EDITOR, verdict)])
    assert view is not None
    assert [one.text for one in view.segments] == ["a##", "#b"]
    assert view.original(Edit(0, 2, 3, "x")) == Edit(0, 1, 2, "x")
    assert view.original(Edit(1, 1, 2, "x")) == Edit(1, 1, 2, "x")
