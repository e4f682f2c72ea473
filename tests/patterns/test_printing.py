"""Trees that no pattern has, printed for RE2."""

from kt.patterns.matcher import compile_rules
from kt.patterns.printing import to_re2
from kt.patterns.syntax import EMPTY, NOTHING, Chars, choice, repeat
from kt.policy import Rule

A = Chars(((97, 97),))


def test_nothing_and_the_empty_text_have_a_spelling() -> None:
    assert to_re2(NOTHING) == r"[^\x{0}-\x{10ffff}]"
    assert to_re2(EMPTY) == ""
    assert to_re2(choice([EMPTY, A])) == "(?:)|(?:a)"


def test_every_quantifier_has_its_shortest_spelling() -> None:
    bounds = ((0, None), (1, None), (0, 1), (2, None), (2, 2), (0, 3))
    printed = [to_re2(repeat(A, low, high)) for low, high in bounds]
    assert printed == ["(?:a)*", "(?:a)+", "(?:a)?", "(?:a){2,}", "(?:a){2}", "(?:a){0,3}"]


def test_characters_with_a_meaning_in_re2_are_taken_literally() -> None:
    for character in r"\.+*?()|[]{}^$-#&~ " + "\n\x00é😀":
        rule = Rule(id="r", pattern=f"\\x{{{ord(character):x}}}x")
        assert len(compile_rules((rule,)).find(f"a{character}x")) == 1
