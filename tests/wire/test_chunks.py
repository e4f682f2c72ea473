"""An event with other texts: what grows, what is complete, what repeats."""

import json

import attrs

from kt.exchange import Lane, Piece, Segment, Surface
from kt.policy import Edit
from kt.wire.chunks import Chunk, Delta, Whole, rewritten
from kt.wire.splice import EMPTY_LIST

DATA = b'{"grows": "a@b", "whole": "to a@b", "counts": [1], "other": 1.50}'
CHUNK = Chunk(
    growing=(Delta(Lane(0, Surface.CONTENT, "x"), "a@b", ("grows",)),),
    whole=(Whole(Segment(Surface.OTHER, "to a@b", (Piece(("whole",), 0, 6),))),),
)


def test_texts_and_edits_are_put_in_place() -> None:
    edited = rewritten(DATA, CHUNK, {("grows",): "[X]"}, [Edit(0, 3, 6, "[X]")])
    assert edited == DATA.replace(b"a@b", b"[X]")


def test_the_same_texts_leave_the_bytes() -> None:
    assert rewritten(DATA, CHUNK, {("grows",): "a@b"}) is DATA


def test_what_repeats_a_text_goes_whatever_else_stands_there() -> None:
    loses = attrs.evolve(CHUNK, repetitions=((("counts",), EMPTY_LIST),))
    assert json.loads(rewritten(DATA, loses, {}))["counts"] == []


def test_a_text_that_is_held_back_is_empty() -> None:
    assert json.loads(rewritten(DATA, CHUNK, {("grows",): ""}))["grows"] == ""
