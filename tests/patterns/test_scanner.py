"""The scanner, step by step; its laws are in tests/laws/test_pattern_streaming.py."""

from kt.patterns.matcher import compile_rules
from kt.policy import Finding, Rule, View
from tests.support.pattern_strategies import HAND_PICKED


def test_text_that_may_still_become_a_match_is_held() -> None:
    scanner = compile_rules((HAND_PICKED["email"],)).scanner()
    assert scanner.feed("write to bob") == ()
    assert scanner.frontier == len("write to ")
    assert scanner.feed("@example.com") == ()
    assert scanner.frontier == len("write to ")
    assert scanner.feed(", please ") == (Finding(0, 9, 24),)
    assert scanner.frontier == len("write to bob@example.com, please ")


def test_a_match_that_cannot_grow_is_reported_at_once() -> None:
    scanner = compile_rules((Rule(id="r", pattern="abc"),)).scanner()
    assert scanner.feed("xabc") == (Finding(0, 1, 4),)
    assert scanner.frontier == 4


def test_a_boundary_waits_for_the_next_character() -> None:
    scanner = compile_rules((Rule(id="r", pattern=r"abc\b"),)).scanner()
    assert scanner.feed("abc") == ()
    assert scanner.frontier == 0
    assert scanner.feed("!") == (Finding(0, 0, 3),)


def test_the_end_of_the_text_decides_what_waited() -> None:
    scanner = compile_rules((Rule(id="r", pattern="ab+$"),)).scanner()
    assert scanner.feed("abab") == ()
    assert scanner.finish() == (Finding(0, 2, 4),)
    assert scanner.frontier == 4


def test_a_start_inside_a_final_match_is_dead() -> None:
    scanner = compile_rules((Rule(id="r", pattern="aba|c"),)).scanner()
    assert scanner.feed("aba") == (Finding(0, 0, 3),)
    assert scanner.frontier == 3
    assert scanner.feed("ba") == ()


def test_a_finding_waits_until_every_view_is_past_its_start() -> None:
    rules = (
        Rule(id="raw", pattern="xyz+!", view=View.TEXT),
        Rule(id="plain", pattern="y"),
    )
    scanner = compile_rules(rules).scanner()
    assert scanner.feed("xyz") == ()
    assert scanner.frontier == 0
    assert scanner.feed("?") == (Finding(1, 1, 2),)


def test_empty_pieces_change_nothing() -> None:
    scanner = compile_rules((HAND_PICKED["word"],)).scanner()
    assert scanner.feed("") == scanner.feed("") == ()
    assert scanner.finish() == ()
    assert scanner.frontier == 0
