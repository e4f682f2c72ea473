"""The syntax tree keeps one form for what is obviously the same."""

from kt.patterns.syntax import (
    EMPTY,
    NOTHING,
    Chars,
    Choice,
    Node,
    Repeat,
    Sequence,
    choice,
    depth,
    repeat,
    sequence,
)

A, B = Chars(((97, 97),)), Chars(((98, 98),))


def test_sequences_and_choices_in_themselves_are_flat() -> None:
    assert sequence([A, sequence([B, A])]) == Sequence((A, B, A))
    assert choice([A, choice([B, EMPTY])]) == Choice((A, B, EMPTY))


def test_one_of_a_kind_is_itself() -> None:
    assert sequence([A]) == choice([A]) == repeat(A, 1, 1) == A


def test_a_sequence_with_what_never_matches_never_matches() -> None:
    assert sequence([A, NOTHING]) == NOTHING


def test_a_repeat_of_at_most_zero_is_empty() -> None:
    assert repeat(A, 0, 0) == EMPTY


def test_depth_is_counted_without_recursion() -> None:
    node: Node = A
    for _ in range(50_000):
        node = Repeat(node, 0, None)
    assert depth(node) == 50_001
