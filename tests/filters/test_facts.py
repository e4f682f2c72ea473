"""Facts: what is kept of what is known."""

from kt.filters.facts import facts_of
from kt.filters.vocabulary import REQUEST


def test_facts_keep_what_has_the_form_of_its_field() -> None:
    values = [
        ("request.model", "gpt-4o"),
        ("request.temperature", "hot"),
        ("request.max_tokens", None),
        ("request.stream", 1),
        ("request.color", "red"),
        ("user.groups", frozenset({"a"})),
    ]
    assert facts_of(REQUEST, values).values == {
        "request.model": "gpt-4o",
        "request.max_tokens": None,
        "user.groups": frozenset({"a"}),
    }


def test_headers_are_found_in_lower_case_and_the_last_wins() -> None:
    facts = facts_of(REQUEST, [("header", "x")], [("X-A", "1"), ("x-a", "2")])
    assert facts.values == {'header["x-a"]': "2"}


def test_equal_facts_are_equal() -> None:
    assert facts_of(REQUEST, [("user.id", "a")]) == facts_of(REQUEST, [("user.id", "a")])
