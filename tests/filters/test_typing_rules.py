"""The type check, where the parser's tests do not reach."""

import pytest

from kt.filters import typing_rules
from kt.filters.refusals import FilterError
from kt.filters.syntax import Comparison, Operator
from kt.filters.typing_rules import Constant, nearest
from kt.filters.vocabulary import REQUEST
from kt.source import Span

HERE = Span(3, 7)


def compared(name: str, operator: Operator, value: str) -> Comparison:
    field = typing_rules.field(name, None, HERE, REQUEST)
    return typing_rules.comparison(field, operator, Constant(value, HERE), HERE)


def test_a_field_knows_its_form_and_place() -> None:
    field = typing_rules.field("header", "X-A", HERE, REQUEST)
    assert (field.label, field.span) == ('header["x-a"]', HERE)


def test_the_place_of_a_bad_pattern_is_the_constant_where_its_characters_stand_elsewhere() -> None:
    with pytest.raises(FilterError) as caught:
        compared("request.model", Operator.MATCHES, "a(?=b)")
    assert (caught.value.code, caught.value.start, caught.value.end) == ("bad_pattern", 3, 7)
    assert caught.value.message == "look-around is not supported"


def test_a_part_of_one_of_the_known_words_is_accepted() -> None:
    assert compared("request.model", Operator.CONTAINS, "").value == ""


def test_the_nearest_word_is_the_one_that_ends_in_it_or_is_spelled_alike() -> None:
    names = ("request.model", "user.id", "status")
    assert nearest("model", names) == "request.model"
    assert nearest("statsu", names) == "status"
    assert nearest("xyzzy", names) is None
    assert nearest("x" * 200, names) is None
