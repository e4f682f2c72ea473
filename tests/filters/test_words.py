"""Words that patterns probably match."""

import pytest

from kt.filters.words import LONGEST, word_of
from kt.patterns.parser import parse


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("gpt-4", "gpt-4"),
        (r"^gpt-\d+$", "gpt-0"),
        ("a{3}b*", "aaa"),
        ("abc|d", "d"),
        ("[^a]", "0"),
        ("[é-í]", "é"),
        (r"\bx\b", "x"),
    ],
)
def test_a_word_is_short_and_looks_like_text(pattern: str, word: str) -> None:
    assert word_of(parse(pattern).node) == word


def test_a_word_has_a_bound() -> None:
    assert len(word_of(parse("(?:ab){1000}").node)) == LONGEST
