"""Segments, paths and lanes are values: equal where they mean the same."""

import attrs
import pytest

from kt.exchange import Embedded, Key, Lane, Path, Piece, Segment, Surface


def test_a_key_is_not_the_value_below_it() -> None:
    paths: set[Path] = {("a",), (Key("a"),), (Key("a"),), ("a", Embedded())}
    assert len(paths) == 3


def test_lanes_are_told_apart_by_choice_surface_and_part() -> None:
    lanes = {
        Lane(choice, surface, part)
        for choice in (0, 1)
        for surface in (Surface.CONTENT, Surface.REFUSAL)
        for part in ("", "0")
    }
    assert len(lanes) == 8
    assert Lane(0, Surface.CONTENT) in lanes


def test_a_segment_cannot_be_changed() -> None:
    segment = Segment(Surface.USER, "text", (Piece(("a",), 0, 4),))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        segment.text = "other"  # type: ignore[misc]
