"""Laws of the dialect: what is accepted, and that RE2 means by the printed text what we mean."""

import itertools
import re
from typing import Any

import attrs
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from kt.patterns.length import is_nullable, max_length, size
from kt.patterns.matcher import compile_rules
from kt.patterns.parser import Parsed, parse
from kt.patterns.prefixes import proper_prefixes
from kt.patterns.printing import to_re2
from kt.patterns.syntax import EMPTY, Assertion, Node, PatternError, Sequence, choice, sequence
from kt.policy import Rule, View
from tests.support.pattern_strategies import (
    Walk,
    any_nodes,
    is_live,
    plain_nodes,
    reference_find,
    rules,
    texts,
)

SPELLINGS = (
    *("a", "b", "1", ".", r"\d", r"\W", "[ab]", "[^a-b]", r"[\w.-]", "(", "(?:", "(?i:", ")", "|"),
    *(
        "*",
        "+",
        "?",
        "{2}",
        "{1,2}",
        "{,",
        "[",
        "]",
        "-",
        "\\",
        r"\b",
        "^",
        "$",
        "(?=",
        "(?i)",
        "é",
    ),
    *(r"\x41", r"\x{e9}", r"\1", "++", "(?P<n>", r"\p{L}", "\ud800", "\n", "[a-", "a-z"),
)
pattern_texts = st.one_of(st.text(), st.lists(st.sampled_from(SPELLINGS), max_size=10).map("".join))


def outcome(pattern: str) -> Parsed | PatternError:
    try:
        return parse(pattern)
    except PatternError as error:
        return error


@given(pattern_texts)
def test_any_text_is_a_pattern_or_a_pattern_error_with_a_place_in_it(pattern: str) -> None:
    result = outcome(pattern)
    if isinstance(result, PatternError):
        assert 0 <= result.start <= result.end <= len(pattern)
        assert result.hint


@given(pattern_texts)
def test_what_the_parser_accepts_re2_accepts_too(pattern: str) -> None:
    result = outcome(pattern)
    if isinstance(result, Parsed):
        assert matching_re2(to_re2(result.node)) is not None


MEANINGS = st.lists(
    st.sampled_from(
        (
            *("a", "b", "A", "1", ".", r"\d", r"\W", r"\s", "[ab]", "[^a-b]", r"[\w.-]", "(", ")"),
            *("(?i:", "|", "*", "+", "{2}", "{1,2}?", r"\b", r"\B", "^", "$", "é", r"\x41", r"\-"),
            r"[^\d\n]",
        )
    ),
    max_size=8,
).map("".join)


# NOT: the empty text, where `\B` is false for re before Python 3.14.
@given(MEANINGS, st.text("abAB1 é_-", min_size=1, max_size=4))
def test_the_dialect_means_what_pythons_re_means_where_both_have_it(
    pattern: str, text: str
) -> None:
    result = outcome(pattern)
    if isinstance(result, Parsed):
        expected = re.compile(pattern, re.ASCII).fullmatch(text) is not None
        assert (len(text) in Walk(text).ends(result.node, 0)) is expected


@given(any_nodes)
def test_a_printed_tree_reads_as_the_same_tree(node: Node) -> None:
    assert parse(to_re2(node)).node == node


@given(rules, texts)
def test_re2_finds_in_a_whole_text_what_the_reference_finds(rule: Rule, text: str) -> None:
    assert compile_rules((rule,)).find(text) == reference_find((rule,), text)


@given(any_nodes, texts)
def test_lengths_and_emptiness_hold_for_every_match(node: Node, text: str) -> None:
    longest = max_length(node)
    for start in range(len(text) + 1):
        for end in Walk(text).ends(node, start):
            assert longest is None or len(text[start:end].encode()) <= longest
            assert end > start or is_nullable(node)


def matching_re2(pattern: str) -> Any:  # Any: re2 ships no types
    options = re2.Options()
    options.longest_match = True
    options.log_errors = False
    return re2.compile(pattern.encode(), options)


def first_live(prefixes: Node, text: str) -> int:
    """Where the prefix language says the first live start is, in characters."""
    at_end = sequence([prefixes, Assertion.TEXT_END])
    found = matching_re2(to_re2(at_end)).search(text.encode())
    return len(text) if found is None else len(text.encode()[: found.start()].decode())


def check_prefixes(node: Node, prefixes: Node, text: str) -> None:
    expected = next((at for at in range(len(text)) if is_live(node, text, at)), len(text))
    assert first_live(prefixes, text) == expected


@given(any_nodes, texts)
def test_the_prefix_language_finds_exactly_the_first_live_start(node: Node, text: str) -> None:
    check_prefixes(node, proper_prefixes(node), text)


SHORT = 3
SHORT_TEXTS = [
    "".join(letters)
    for length in range(SHORT + 1)
    for letters in itertools.product("ab1 @_é", repeat=length)
]


def is_short(node: Node) -> bool:
    longest = max_length(node)
    return longest is not None and longest <= SHORT


@given(plain_nodes.filter(is_short))
def test_the_prefix_language_is_what_something_can_follow(node: Node) -> None:
    matches = [text for text in SHORT_TEXTS if len(text) in Walk(text).ends(node, 0)]
    expected = {word[:end] for word in matches for end in range(len(word))}
    prefixes = matching_re2(to_re2(proper_prefixes(node)))
    assert expected == {text for text in SHORT_TEXTS if prefixes.fullmatch(text.encode())}


@given(any_nodes)
def test_prefixes_are_not_much_larger_than_the_rule(node: Node) -> None:
    assert size(proper_prefixes(node)) <= 40 * size(node)


# ---- Tests of the tests: bugs that the laws above must notice


def test_the_law_notices_prefixes_that_forget_what_comes_first() -> None:
    node = parse("ab").node
    assert isinstance(node, Sequence)
    forgetful = choice([EMPTY, *(proper_prefixes(item) for item in node.items)])
    with pytest.raises(AssertionError):
        check_prefixes(node, forgetful, "a")


def test_the_law_notices_prefixes_that_take_a_boundary_for_decided() -> None:
    with pytest.raises(AssertionError):
        check_prefixes(parse(r"a\b").node, proper_prefixes(parse("a").node), "a")


def test_the_law_notices_a_dot_that_matches_a_line_break() -> None:
    rule = Rule(id="r", pattern="a.b", view=View.TEXT)
    wrong = attrs.evolve(rule, pattern="(?s)a.b")
    assert compile_rules((wrong,)).find("a\nb") != reference_find((rule,), "a\nb")
