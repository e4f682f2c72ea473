"""Sets of characters."""

from hypothesis import given
from hypothesis import strategies as st

from kt.patterns.characters import (
    DIGIT,
    EVERY,
    LAST,
    WORD,
    Ranges,
    both_cases,
    complement,
    contains,
    union,
)

points = st.integers(0, LAST)
ranges = st.lists(st.tuples(points, points).map(lambda p: (min(p), max(p))), max_size=5).map(union)


@given(ranges)
def test_a_complement_of_a_complement_is_the_set(one: Ranges) -> None:
    assert complement(complement(one)) == one


@given(ranges, points)
def test_a_character_is_in_a_set_or_in_its_complement(one: Ranges, point: int) -> None:
    assert contains(one, point) is not contains(complement(one), point)


def test_adjacent_ranges_become_one() -> None:
    assert union([(5, 6), (1, 2), (3, 4)]) == ((1, 6),)


def test_the_complement_of_everything_is_nothing() -> None:
    assert complement(EVERY) == ()


def test_both_cases_of_a_range_are_two_ranges() -> None:
    assert both_cases(((ord("b"), ord("d")),)) == ((66, 68), (98, 100))


def test_what_has_no_cases_stays_as_it_is() -> None:
    assert both_cases(DIGIT) == DIGIT
    assert both_cases(WORD) == WORD


def test_other_scripts_never_bring_in_ascii_letters() -> None:
    kelvin_and_dotless = union([(0x212A, 0x212A), (0x131, 0x131), (0x17F, 0x17F)])
    assert not any(contains(both_cases(kelvin_and_dotless), point) for point in range(0x80))


def test_greek_and_cyrillic_letters_have_both_cases() -> None:
    assert contains(both_cases(((ord("ж"), ord("ж")),)), ord("Ж"))
    assert contains(both_cases(((ord("Ω"), ord("Ω")),)), ord("ω"))
