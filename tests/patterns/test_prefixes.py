"""How much of a text a rule may hold back, and the bounds on prefix expressions."""

import pytest

from kt.patterns.parser import parse
from kt.patterns.prefixes import MAX_DEPTH, longest_hold, longest_match, proper_prefixes
from kt.patterns.syntax import PatternError, depth
from kt.policy import Rule


@pytest.mark.parametrize(
    ("pattern", "hold"),
    [
        ("a", 0),
        ("abc", 2),
        (r"abc\b", 3),
        ("abc$", 3),
        ("^abc", 2),
        ("é", 0),
        ("éa", 2),
        ("a{3,9}", 8),
        (r"\w+@", None),
        ("ab*", None),
        ("a|bcde", 3),
    ],
)
def test_the_longest_hold_follows_from_the_pattern(pattern: str, hold: int | None) -> None:
    assert longest_hold(Rule(id="r", pattern=pattern)) == hold


def test_a_long_literal_stays_shallow() -> None:
    assert depth(proper_prefixes(parse("abc" * 1000).node)) < MAX_DEPTH


def nested(levels: int, inside: str) -> str:
    return f"(?:{inside}" * levels + "a" + "b?)?" * levels


def test_prefixes_that_are_too_deep_are_refused() -> None:
    with pytest.raises(PatternError) as caught:
        proper_prefixes(parse(nested(24, "abcdefgh" * 2)).node)
    assert caught.value.code == "too_deep"


def test_prefixes_that_are_too_large_are_refused() -> None:
    with pytest.raises(PatternError) as caught:
        proper_prefixes(parse(".{1000}" * 4).node)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("pattern", "size"), [("abc", 3), ("ab?c", 3), (r"\bé{2}\b", 4), ("a+", None), ("a|bcd", 3)]
)
def test_the_longest_match_follows_from_the_pattern(pattern: str, size: int | None) -> None:
    assert longest_match(Rule(id="r", pattern=pattern)) == size
