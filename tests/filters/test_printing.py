"""Printing, where the round trip does not say how it should look."""

import pytest

from kt.filters.parser import parse_filter
from kt.filters.printing import show, show_value
from kt.filters.vocabulary import REQUEST


@pytest.mark.parametrize(
    "text",
    [
        'request.path starts_with "/v1" and (request.stream == true or not exists(user.id))',
        'not (request.stream == true or user.id == "a")',
        'request.model in ["a", "b"] or header["x-env"] matches "^prod"',
        "true",
    ],
)
def test_there_are_no_more_parentheses_than_needed(text: str) -> None:
    assert show(parse_filter(text, REQUEST)) == text


def test_constants_are_printed_as_they_are_written() -> None:
    assert (
        show_value((None, True, False, 1, 0.5, 'a"\\')) == r'[null, true, false, 1, 0.5, "a\"\\"]'
    )
