"""Heads: small, never empty, and in front of every match."""

import pytest
from hypothesis import given

from kt.patterns.heads import head
from kt.patterns.length import is_nullable
from kt.patterns.parser import parse
from kt.policy import Rule
from tests.support.pattern_strategies import Walk, rules, texts


@pytest.mark.parametrize(
    ("pattern", "beginning"),
    [
        ("ignore.{0,80}rules", "ignore"),
        (r"\b(?:a|b.*c)d", r"\b(?:a|b)"),
        ("(?:x.*){2}y", "x"),
        ("a(?:b.{9,})?c", "a"),
        ("ab[0-9]{0,20}c", None),
        (".*a", None),
        ("(?:.{0,9}a|b)c", None),
        ("abc", None),
    ],
)
def test_a_head_ends_at_the_first_gap(pattern: str, beginning: str | None) -> None:
    expected = None if beginning is None else parse(beginning).node
    assert head(parse(pattern).node) == expected


@given(rules, texts)
def test_every_match_begins_with_a_head(rule: Rule, text: str) -> None:
    node = parse(rule.pattern).node
    beginning = head(node)
    for at in range(len(text)):
        if beginning is not None and Walk(text).ends(node, at):
            assert Walk(text).ends(beginning, at)
    assert beginning is None or not is_nullable(beginning)
