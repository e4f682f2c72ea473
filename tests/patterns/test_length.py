"""Lengths, emptiness and sizes."""

import pytest

from kt.patterns.length import is_nullable, max_length, size
from kt.patterns.parser import parse


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        ("abc", 3),
        ("é", 2),
        ("[a-é]", 2),
        (".", 4),
        ("a|bcd|", 3),
        ("a{2,5}", 5),
        ("a*", None),
        (r"\d+x", None),
        (r"^\b$", 0),
        (r"(?:\b)*a", 1),
        ("(?:ab?){3}", 6),
    ],
)
def test_the_longest_match_is_counted_in_bytes(pattern: str, longest: int | None) -> None:
    assert max_length(parse(pattern).node) == longest


@pytest.mark.parametrize("pattern", ["", "a*", "a?b*", r"\b", "^$", "a|", "(?:a*){2}", "a{0}"])
def test_a_pattern_that_can_match_nothing_is_nullable(pattern: str) -> None:
    assert is_nullable(parse(pattern).node)


@pytest.mark.parametrize("pattern", ["a", "a+", "a*b", "(?:a|b)", r"\ba"])
def test_a_pattern_that_needs_a_character_is_not_nullable(pattern: str) -> None:
    assert not is_nullable(parse(pattern).node)


def test_a_repeat_is_as_large_as_its_copies() -> None:
    assert size(parse("a{500}").node) >= 500
