"""Rules compiled and found in whole texts."""

# ruff: noqa: RUF001  # look-alikes are what some of these texts are for

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.patterns.matcher import check_rule, compile_parts, compile_rules
from kt.patterns.syntax import PatternError
from kt.policy import Finding, Rule, View
from tests.support.pattern_strategies import HAND_PICKED


def found(text: str, *rules: Rule) -> list[str]:
    """What the rules find, as text."""
    data = text.encode()
    return [data[one.start : one.end].decode() for one in compile_rules(rules).find(text)]


def rule(pattern: str, view: View = View.NORMALIZED, validator: str | None = None) -> Rule:
    return Rule(id="r", pattern=pattern, view=view, validator=validator)


def test_a_match_is_the_longest_one_whatever_the_order_of_alternatives() -> None:
    assert found("xabc", rule("a|ab|abc")) == ["abc"]


def test_matches_of_one_rule_do_not_overlap() -> None:
    assert found("aaaaa", rule("aa")) == ["aa", "aa"]


def test_matches_of_different_rules_may_overlap() -> None:
    assert compile_rules((rule("ab"), rule("bc"))).find("abc") == (
        Finding(0, 0, 2),
        Finding(1, 1, 3),
    )


def test_a_card_is_found_behind_digits_that_belong_to_nothing() -> None:
    assert found("12 4111 1111 1111 1111", HAND_PICKED["card"]) == ["4111 1111 1111 1111"]


def test_a_card_is_found_in_front_of_digits_that_belong_to_nothing() -> None:
    assert found("4111 1111 1111 1111 99", HAND_PICKED["card"]) == ["4111 1111 1111 1111"]


def test_offsets_count_bytes_of_the_original_text() -> None:
    assert compile_rules((rule("a"),)).find("éａ") == (Finding(0, 2, 5),)


def test_a_match_inside_an_expansion_covers_the_whole_character() -> None:
    assert found("5㎏!", rule("g")) == ["㎏"]


def test_an_invisible_character_inside_a_match_is_covered() -> None:
    assert found("x\u200ba\u200bb\u200by", rule("ab")) == ["a\u200bb"]


def test_a_raw_rule_sees_what_normalization_removes() -> None:
    assert found("a\u200bb", rule(r"\x{200b}", View.TEXT)) == ["\u200b"]


def test_a_folded_rule_sees_through_look_alikes_and_marks() -> None:
    assert found("ра\u0301ss", rule("pass", View.FOLDED)) == ["ра\u0301ss"]


def test_no_rules_find_nothing() -> None:
    scanner = compile_rules(()).scanner()
    assert scanner.feed("é") == ()
    assert scanner.frontier == 2
    assert scanner.finish() == ()


@pytest.mark.parametrize("pattern", ["a*", "", r"\b", "(?:a|b?)", "^$"])
def test_a_rule_that_matches_the_empty_text_is_refused(pattern: str) -> None:
    assert refusal_of(rule(pattern)) == ("matches_empty", 0, len(pattern))


def test_an_unknown_validator_is_refused() -> None:
    assert refusal_of(rule("a", validator="magic")) == ("unknown_validator", 0, 1)


@pytest.mark.parametrize("pattern", [r"\d+", r"\d{13,600}"])
def test_a_validator_needs_a_bounded_candidate(pattern: str) -> None:
    assert refusal_of(rule(pattern, validator="luhn"))[0] == "validator_unbounded"


def test_a_rule_that_is_too_large_is_refused() -> None:
    pattern = ".{1000}" * 4
    assert refusal_of(rule(pattern)) == ("too_large", 0, len(pattern))


def refusal_of(refused: Rule) -> tuple[str, int, int]:
    """The refusal, which checking and compiling must agree on."""
    errors = []
    for judge in (check_rule, lambda one: compile_rules((one,))):
        with pytest.raises(PatternError) as caught:
            judge(refused)
        errors.append((caught.value.code, caught.value.start, caught.value.end))
    assert errors[0] == errors[1]
    return errors[0]


def test_checking_a_rule_returns_its_warnings() -> None:
    assert [one.code for one in check_rule(rule("a+?")).warnings] == ["lazy_ignored"]


def test_compiling_the_same_rules_again_gives_the_same_set() -> None:
    assert compile_rules((rule("ab"),)) is compile_rules((rule("ab"),))


def test_rules_that_are_too_large_for_one_expression_are_asked_in_groups() -> None:
    wide = tuple(rule(f"{letter}{{1000}}[é-ë]{{1000}}") for letter in "abcd")
    rule_set = compile_rules(wide)
    assert 1 < len(rule_set.lenses[0].whole) < 1 + len(wide)
    text = "c" * 1000 + "é" * 1000
    assert rule_set.find("x" + text) == (Finding(2, 1, 3001),)


@pytest.mark.parametrize(
    "one", ["a", "é", ".", r"\W", "[^é中]", r"[\x{81}-\x{10fffe}]", r"[\x{801}-\x{fffe}]", "[a-é]"]
)
def test_the_bound_on_size_is_below_what_re2_refuses(one: str) -> None:
    copies = 60
    while (is_too_large := refused_as_too_large(rule(f"{one}{{1000}}" * copies))) and copies > 1:
        copies = copies * 4 // 5
    assert not is_too_large


def refused_as_too_large(one: Rule) -> bool:
    """False: it compiles. Any other refusal, and RE2's own, passes through."""
    try:
        check_rule(one)
    except PatternError as error:
        if error.code == "too_large":
            return True
        raise
    return False


# ---- Rules in parts

PARTED = (
    rule("ab"),
    rule("b+", View.TEXT),
    rule("a[b-d]{1,3}"),
    rule("c.*d"),
    rule(r"\d{4,8}", validator="luhn"),
)
PLACES = (0, 1, 0, 2, 1)


@given(
    st.text("abcd 0418é", max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
    st.sets(st.integers(0, 2)),
)
def test_chosen_parts_find_what_their_rules_find(text: str, at: list[int], which: set[int]) -> None:
    wanted = tuple(
        found for found in compile_rules(PARTED).find(text) if PLACES[found.rule] in which
    )
    chosen = compile_parts(PARTED, PLACES, 3).chosen(which)
    assert chosen.find(text) == wanted
    scanner = chosen.scanner()
    places = [0, *sorted(place for place in at if place < len(text)), len(text)]
    grown = [scanner.feed(text[start:end]) for start, end in pairwise(places)]
    assert (*(one for some in grown for one in some), *scanner.finish()) == wanted


def test_a_part_may_be_empty_and_nothing_may_be_chosen() -> None:
    parts = compile_parts((rule("a"),), (1,), 2)
    assert parts.chosen([0]).find("a") == ()
    assert parts.chosen([]).lenses == ()
    assert parts.chosen([0, 1]).find("a") == (Finding(0, 0, 1),)


def test_parts_that_are_bounded_make_a_bounded_whole() -> None:
    parts = compile_parts((rule("a"), rule("b+")), (0, 1), 2)
    assert parts.chosen([0]).is_bounded
    assert not parts.chosen([0, 1]).is_bounded
