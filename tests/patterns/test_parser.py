"""What the dialect accepts and means, and how it refuses the rest."""

import pytest

from kt.patterns.length import max_length
from kt.patterns.parser import MAX_CHARACTERS, MAX_GROUPS_DEEP, PatternWarning, parse
from kt.patterns.printing import to_re2
from kt.patterns.refusals import REASONS, REFUSED, UNEXPECTED
from kt.patterns.syntax import PatternError

REFUSALS = [
    ("a(?=b)", "lookaround", 1, 4),
    ("(?<!a)b", "lookaround", 0, 4),
    (r"(a)\1", "backreference", 3, 5),
    (r"(?P<n>a)(?P=n)", "backreference", 8, 12),
    ("a*+", "possessive", 1, 3),
    ("a{2}+", "possessive", 1, 5),
    ("(?>a)", "atomic_group", 0, 3),
    (r"\p{L}", "property", 0, 2),
    (r"[\p{L}]", "property", 1, 3),
    ("a(?#b)", "comment", 1, 4),
    ("a(?i)b", "late_flags", 1, 5),
    ("(?m)a", "unknown_flag", 0, 4),
    ("(?x:a)", "unknown_flag", 0, 4),
    ("(?-i:a)", "unknown_flag", 0, 5),
    ("(?|a)", "unknown_group", 0, 2),
    ("[[:alpha:]]", "posix_set", 1, 3),
    (r"a\Z", "unknown_escape", 1, 3),
    (r"[\b]", "unknown_escape", 1, 3),
    (r"\xZ", "bad_code_point", 0, 2),
    (r"\x{110000}", "bad_code_point", 0, 10),
    (r"\uD800", "bad_code_point", 0, 6),
    ("ab\\", "lone_backslash", 2, 3),
    ("[\\", "lone_backslash", 1, 2),
    ("a{b", "unescaped_brace", 1, 2),
    ("a{,2}", "unescaped_brace", 1, 2),
    ("*a", "nothing_to_repeat", 0, 1),
    ("a**", "nothing_to_repeat", 2, 3),
    (r"\b+", "nothing_to_repeat", 2, 3),
    ("a)", "unbalanced", 1, 2),
    ("a(b", "unbalanced", 1, 2),
    ("(a[)", "unclosed_set", 2, 3),
    ("[]", "empty_set", 0, 1),
    ("[]a]", "empty_set", 0, 1),
    (r"[^\w\W]", "empty_set", 0, 2),
    ("[b-a]", "bad_range", 2, 3),
    (r"[\w-.]", "bad_range", 3, 4),
    (r"[a-\d]", "bad_range", 3, 5),
    ("a{3,2}", "bad_repeat", 1, 6),
    ("a{1001}", "repeat_too_large", 1, 7),
    ("(?:a{100}){11}", "repeat_too_large", 4, 9),
    ("a\ud800", "bad_character", 1, 2),
    ("(a" * 30, "too_deep", 2 * MAX_GROUPS_DEEP, 2 * MAX_GROUPS_DEEP + 1),
    ("a" * (MAX_CHARACTERS + 1), "too_large", 0, MAX_CHARACTERS + 1),
]


@pytest.mark.parametrize(("pattern", "code", "start", "end"), REFUSALS)
def test_a_refusal_has_a_code_and_the_exact_place(
    pattern: str, code: str, start: int, end: int
) -> None:
    with pytest.raises(PatternError) as caught:
        parse(pattern)
    error = caught.value
    assert (error.code, error.start, error.end) == (code, start, end)
    assert (error.message, error.hint) == REASONS[code]


LATER = {"matches_empty", "unknown_validator", "validator_unbounded", "conflict"}
"""Codes of what is found after parsing (test_matcher.py), and the parser's last resort."""


def test_every_code_has_an_example() -> None:
    assert {code for _, code, _, _ in REFUSALS} | LATER == set(REASONS)


def test_every_token_that_is_refused_has_a_reason() -> None:
    assert set(REFUSED.values()) | set(UNEXPECTED.values()) <= set(REASONS)


@pytest.mark.parametrize(
    ("pattern", "printed"),
    [
        (r"\n\t\r\f\v", r"\x{a}\x{9}\x{d}\x{c}\x{b}"),
        (r"\x41\x{e9}\u00e9", r"A\x{e9}\x{e9}"),
        (r"\.\-\ \_", r"\x{2e}\x{2d}\x{20}\x{5f}"),
        (".", r"[^\x{a}]"),
        ("(?s).", r"[\x{0}-\x{10ffff}]"),
        (r"\D", "[^0-9]"),
        (r"\s", r"[\x{9}-\x{d}\x{20}]"),
        (r"[-a-c]|[x-]|[^-]", r"(?:[\x{2d}a-c])|(?:[\x{2d}x])|(?:[^\x{2d}])"),
        (
            "[]{}^$.|()a-]".replace("]", r"\]", 1),
            r"[\x{24}\x{28}-\x{29}\x{2d}-\x{2e}\x{5d}-\x{5e}a\x{7b}-\x{7d}]",
        ),
        ("a]}", r"a\x{5d}\x{7d}"),
        ("^a$", r"\Aa\z"),
        (r"\Aa\z", r"\Aa\z"),
        ("(a)(?:b)(?P<n>c)(?<m>d)", "abcd"),
        ("(?i)aé1", r"[Aa][\x{c9}\x{e9}]1"),
        ("(?i:k)s", "[Kk]s"),
        ("(?i)[^a]", "[^Aa]"),
        ("((?i:a)b)", "[Aa]b"),
        ("a{2}b{2,}c{2,3}d{0}", "(?:a){2}(?:b){2,}(?:c){2,3}"),
        ("a|", "(?:a)|(?:)"),
    ],
)
def test_the_meaning_of_a_pattern_is_explicit(pattern: str, printed: str) -> None:
    assert to_re2(parse(pattern).node) == printed


def test_a_lazy_quantifier_is_accepted_with_a_warning_at_its_place() -> None:
    lazy, greedy = parse("a.*?b+?"), parse("a.*b+")
    assert lazy.node == greedy.node
    assert [(one.code, one.start, one.end) for one in lazy.warnings] == [
        ("lazy_ignored", 2, 4),
        ("lazy_ignored", 5, 7),
    ]
    assert all(isinstance(one, PatternWarning) for one in lazy.warnings)


def test_an_optional_is_not_mistaken_for_a_lazy_quantifier() -> None:
    assert parse("ab?").warnings == ()


def test_a_long_pattern_of_many_words_is_accepted() -> None:
    words = "|".join(f"word{number}" for number in range(900))
    assert max_length(parse(words).node) == len("word899")
