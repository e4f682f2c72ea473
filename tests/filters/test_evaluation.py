"""Filters at work."""

import pytest

from kt.filters.evaluation import compile_filter
from kt.filters.facts import facts_of
from kt.filters.parser import parse_filter
from kt.filters.vocabulary import REQUEST

FACTS = facts_of(
    REQUEST,
    [
        ("request.path", "/v1/chat/completions"),
        ("request.model", "gpt-4o-mini"),
        ("request.temperature", 0.5),
        ("request.max_tokens", None),
        ("request.messages.count", 3),
        ("user.groups", frozenset({"admins", "staff"})),
    ],
    [("X-Env", "prod")],
)


@pytest.mark.parametrize(
    "text",
    [
        "request.path starts_with '/v1'",
        "request.path ends_with 'completions'",
        "request.model contains '4o' and request.model matches '-mini$'",
        "request.model ~ 'pt'",
        "request.temperature == 0.5 and request.temperature <= 0.5",
        "request.max_tokens == null and exists(request.max_tokens)",
        "request.max_tokens != 5 and request.max_tokens not in [5]",
        "request.max_tokens in [5, null]",
        "request.messages.count > 2 and request.messages.count in [1, 3]",
        "user.groups contains 'staff' and not user.groups contains 'root'",
        "header['x-env'] == 'prod' and not exists(header['x-team'])",
        "not user.id == 'a' and not user.id != 'a'",
    ],
)
def test_a_filter_is_true(text: str) -> None:
    assert compile_filter(parse_filter(text, REQUEST))(FACTS) is True


@pytest.mark.parametrize(
    "text",
    [
        "user.id != 'a'",
        "user.id not in ['a']",
        "user.id == 'a'",
        "request.stream",
        "request.max_tokens < 5 or request.max_tokens >= 5",
        "request.max_tokens == 5",
        "request.model matches '^mini'",
        "header['x-team'] contains ''",
        "request.messages.count in []",
        "user.groups contains 'adm'",
    ],
)
def test_a_filter_is_false(text: str) -> None:
    assert compile_filter(parse_filter(text, REQUEST))(FACTS) is False


def test_a_search_finds_bytes_of_any_script() -> None:
    test = compile_filter(parse_filter("request.model matches 'é.$'", REQUEST))
    assert test(facts_of(REQUEST, [("request.model", "caf" + "é1")]))
    assert not test(facts_of(REQUEST, [("request.model", "cafe1")]))
