"""Word lists as rules: terms, patterns, disguises, and words with a few letters wrong."""

from collections.abc import Callable

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from kt.patterns.matcher import compile_rules
from kt.policies import terms
from kt.policies.terms import (
    FAR,
    MOST_ENTRIES,
    MOST_FUZZY_WORDS,
    TermList,
    distance_problems,
    fuzzy_distance,
    is_pattern,
    pattern_of,
)
from kt.policy import Rule, View


def found(entry: str, text: str, distance: int = 0) -> list[str]:
    """What an entry finds in a text."""
    (rule,) = TermList(field="words", entries=(entry,), distance=distance).rules("f", "[X]")
    data = text.encode()
    return [data[one.start : one.end].decode() for one in compile_rules((rule,)).find(text)]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("bomb", "a bomb!"),
        ("bomb", "BOMB"),
        ("Bomb", "the bomb-squad"),
        ("project falcon", "Project  Falcon"),
        ("project falcon", "project\nfalcon"),
        ("self-harm", "self harm, self_harm, selfharm"),
        (" falcon ", "falcon"),
        ("c.i.a.", "the c.i.a. of"),
        ("AT&T", "at&t"),
        ("élan", "an elan"),
        ("elan", "ÉLAN"),
        ("bomb", "\uff42\uff4f\uff4d\uff42"),
        ("bomb", "b\u200bo\u200bmb"),
        ("bomb", "b\u043emb"),
        ("кабель", "КАБЕЛЬ"),
        ("вода", "ВОДА"),
        ("ВОДА", "вода"),
        ("Straße", "STRASSE"),
        ("ΌΡΟ", "όρο"),
        ("炸弹", "一个炸弹在"),
    ],
)
def test_a_term_is_found_in_any_case_and_through_disguises(term: str, text: str) -> None:
    assert found(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("bomb", "bombastic"),
        ("bomb", "abomb"),
        ("bomb", "bom b"),
        ("c.i.a.", "cxixa"),
        ("project falcon", "project the falcon"),
        ("project falcon", "projectfalcon"),
    ],
)
def test_a_near_miss_of_a_term_is_not_found(term: str, text: str) -> None:
    assert found(term, text) == []


def test_what_only_patterns_need_makes_a_pattern() -> None:
    assert [
        one for one in ("a b", "a.b", "a-b", "who?", r"\bx", "a|b", "[a]") if is_pattern(one)
    ] == [
        "who?",
        r"\bx",
        "a|b",
        "[a]",
    ]
    assert found("colou?r", "COLOR") == ["COLOR"]
    assert found("(?s)a.b", "A\nB a\nb") == ["a\nb"]


def test_a_pattern_is_never_fuzzy_and_is_matched_with_its_letters() -> None:
    assert pattern_of("ab+c", 2) == pattern_of("ab+c")
    (rule,) = TermList(field="words", entries=("é+",)).rules("f", "[X]")
    assert (rule.id, rule.view, rule.label) == ("f.words_1", View.NORMALIZED, "[X]")


@pytest.mark.parametrize(
    ("text", "distance"),
    [("project falcon", 1), ("Projet Falcon", 1), ("projekt, falkon", 1), ("prjoect flacon", 2)],
)
def test_each_word_of_a_fuzzy_term_may_have_its_own_errors(text: str, distance: int) -> None:
    assert found("project falcon", text, distance) == [text]
    assert found("project falcon", "project the falcon", distance) == []


def test_a_short_word_keeps_more_than_half_of_its_letters() -> None:
    assert found("gun", "gum", 2) == ["gum"]
    assert found("gun", "hum", 2) == []
    assert found("a", "b a", 2) == ["a"]
    assert found("бомба", "бомбы", 2) == []


def test_a_word_of_any_length_is_bounded() -> None:
    long = "a" * 300
    assert pattern_of(long, FAR) == pattern_of(long)
    assert len(pattern_of("ab" * 32, FAR)) < 100_000


def levenshtein(first: str, second: str) -> int:
    """The distance of two words, by the book."""
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, start=1):
        last, row[0] = row[0], place
        for at, other in enumerate(second, start=1):
            last, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, last + (letter != other))
    return row[-1]


Maker = Callable[[str, int], str]
letters = st.text("abc", min_size=3, max_size=7)
pairs = st.tuples(letters, letters, st.integers(0, FAR))


def is_exact(pair: tuple[str, str, int], make: Maker) -> bool:
    """Law: a fuzzy word is found exactly where the distance says so."""
    word, other, distance = pair
    rule = Rule(id="x", pattern=rf"\b{make(word, distance)}\b")
    hits = [(one.start, one.end) for one in compile_rules((rule,)).find(other)]
    return ((0, len(other)) in hits) == (levenshtein(word, other) <= distance)


@given(pairs)
def test_a_fuzzy_word_is_the_levenshtein_neighborhood(pair: tuple[str, str, int]) -> None:
    assert is_exact(pair, terms._within)


def errors_in_one_half(word: str, distance: int) -> str:
    """A planted bug: all errors in the same half."""
    half = len(word) // 2
    first, second = word[:half], word[half:]
    return f"(?:{terms._within(first, distance)}{second}|{first}{terms._within(second, distance)})"


def no_insertions(word: str, distance: int) -> str:
    """A planted bug: letters may be missing or wrong, but not too many."""
    shorter = [word[:at] + word[at + 1 :] for at in range(len(word))]
    wrong = [word[:at] + r"\w" + word[at + 1 :] for at in range(len(word))]
    return f"(?:{'|'.join([word, *(shorter + wrong if distance else [])])})"


@pytest.mark.parametrize("planted", [errors_in_one_half, no_insertions])
def test_the_law_of_fuzzy_words_finds_a_wrong_neighborhood(planted: Maker) -> None:
    assert find(pairs, lambda pair: not is_exact(pair, planted))


words = st.text("abé.ß&#'0", min_size=1, max_size=8).filter(lambda word: word.strip(".&#'") != "")


def is_found_as_written(word: str, make: Callable[[str], str]) -> bool:
    """Law: whatever a term is made of, it finds itself and not a text without its letters."""
    rule = Rule(id="x", pattern=make(word), view=View.FOLDED)
    rules = compile_rules((rule,))
    return bool(rules.find(f"- {word} -")) and not rules.find("- zzz -")


@given(st.text("вόßéaЖžb", min_size=1, max_size=6))
def test_a_term_finds_itself_in_either_case(word: str) -> None:
    assert all(found(word, text) for text in (word.lower(), word.upper(), word))


@given(words)
def test_a_term_finds_itself(word: str) -> None:
    assert is_found_as_written(word, pattern_of)


def unescaped(word: str) -> str:
    """A planted bug: a term is taken for a pattern."""
    return f"(?i:{word.replace('#', '...')})"


def test_the_law_of_terms_finds_one_that_is_not_literal() -> None:
    assert find(words, lambda word: not is_found_as_written(word, unescaped))


def test_lists_and_distances_have_bounds() -> None:
    many = TermList(field="words", entries=("x",) * (MOST_ENTRIES + 1))
    (problem,) = many.problems()
    assert (problem.field, problem.code_name) == ("words", "out_of_range")
    for distance in (1, 2):
        most = MOST_FUZZY_WORDS[distance]
        fits = TermList(field="words", entries=("one two",) * (most // 2), distance=distance)
        over = TermList(field="words", entries=("word",) * (most + 1), distance=distance)
        assert not list(fits.problems())
        assert [one.code_name for one in over.problems()] == ["out_of_range"]


def test_a_distance_beyond_what_is_matched_is_not_enforced() -> None:
    assert fuzzy_distance(False, 8) == 0
    assert fuzzy_distance(True, 8) == FAR
    assert distance_problems(False, 8) == distance_problems(True, FAR) == ()
    assert [one.code_name for one in distance_problems(True, 3)] == ["not_enforced"]
    assert [one.is_warning for one in distance_problems(False, 9)] == [False]


@pytest.mark.parametrize("entry", ["", "  ", "-", "a(", "x" * 11_000])
def test_an_entry_that_cannot_be_matched_is_an_error_in_its_place(entry: str) -> None:
    (problem,) = TermList(field="words", entries=("fine", entry)).problems()
    assert (problem.field, problem.is_warning) == ("words[1]", False)
    assert problem.start is not None
