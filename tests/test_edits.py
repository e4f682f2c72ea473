"""Merging and applying edits, with the laws that the merge promises."""

import itertools
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from kt.edits import Merged, apply, derive, merge
from kt.policy import Derived, Edit

TEXT = b"0123456789abcdef"


@st.composite
def edits(draw: st.DrawFn) -> list[Edit]:
    """Edits over TEXT."""
    count = draw(st.integers(0, 6))
    made = []
    for _ in range(count):
        start = draw(st.integers(0, len(TEXT) - 1))
        made.append(
            Edit(
                segment=0,
                start=start,
                end=draw(st.integers(start + 1, len(TEXT))),
                label=draw(st.sampled_from(["[A]", "[B]", "[C]"])),
                derived=draw(st.sampled_from([None, Derived.PARTIAL, Derived.SAME_LENGTH])),
                severity=draw(st.integers(0, 2)),
                order=draw(st.integers(0, 3)),
                rule=draw(st.integers(0, 3)),
            )
        )
    return made


def edit(start: int, end: int, label: str = "[A]", **more: int) -> Edit:
    """An edit of the only segment."""
    return Edit(0, start, end, label, **more)  # type: ignore[arg-type]


def covered(spans: Iterable[Merged | Edit]) -> set[int]:
    """The offsets inside any span."""
    return {at for span in spans for at in range(span.start, span.end)}


def test_spans_that_share_a_character_become_one() -> None:
    assert apply(TEXT, [edit(1, 4), edit(3, 6, "[B]")]) == b"0[A]6789abcdef"


def test_adjacent_spans_stay_apart() -> None:
    assert apply(TEXT, [edit(1, 4), edit(4, 6, "[B]")]) == b"0[A][B]6789abcdef"


def test_a_chain_of_overlaps_is_one_span() -> None:
    assert apply(TEXT, [edit(0, 3), edit(5, 9, "[C]"), edit(2, 6, "[B]")]) == b"[A]9abcdef"


def test_at_the_same_start_severity_then_declared_order_decides_the_label() -> None:
    assert merge([edit(1, 3), edit(1, 2, "[B]", severity=1)])[0].leader.label == "[B]"
    assert merge([edit(1, 3, order=2), edit(1, 2, "[B]", order=1)])[0].leader.label == "[B]"


def test_a_derived_replacement_needs_a_span_of_its_own() -> None:
    alone = Edit(0, 0, 12, "[CARD]", Derived.PARTIAL)
    assert apply(TEXT, [alone]) == b"********89abcdef"
    assert apply(TEXT, [alone, edit(11, 13, "[B]")]) == b"[CARD]def"


def test_a_short_partial_replacement_shows_nothing() -> None:
    assert derive(Derived.PARTIAL, "[X]", "12345678") == "********"


def test_a_replacement_of_the_same_length_is_the_label_cut_or_padded() -> None:
    assert derive(Derived.SAME_LENGTH, "[EMAIL]", "a@b.io") == "[EMAIL"
    assert derive(Derived.SAME_LENGTH, "[EMAIL]", "ann@b.io") == "[EMAIL]*"


@given(edits(), st.randoms(use_true_random=False))
def test_the_merge_does_not_depend_on_order(made: list[Edit], random: object) -> None:
    shuffled = sorted(made, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert apply(TEXT, shuffled) == apply(TEXT, made)


@given(edits())
def test_merged_spans_are_sorted_disjoint_and_cover_exactly_what_was_asked(
    made: list[Edit],
) -> None:
    merged = merge(made)
    assert covered(merged) == covered(made)
    assert all(a.end <= b.start for a, b in itertools.pairwise(merged))


@given(edits())
def test_nothing_asked_to_be_replaced_survives(made: list[Edit]) -> None:
    plain = [Edit(0, one.start, one.end, "#", order=one.order) for one in made]
    kept = bytes(byte for at, byte in enumerate(TEXT) if at not in covered(plain))
    assert apply(TEXT, plain).replace(b"#", b"") == kept
