"""Conditions given as maps."""

import math

import pytest

from kt.filters.printing import show
from kt.filters.refusals import FilterError
from kt.filters.structured import Condition, from_structured
from kt.filters.typing_rules import MAX_COMPARISONS
from kt.filters.vocabulary import EVENT, REQUEST
from kt.source import Span

WHEN = (
    Condition("path", "/v1/chat"),
    Condition("header", (Condition("X-Env", "prod"), Condition("x-team", "a"))),
    Condition("model", ("gpt-4o", "gpt-4o-mini")),
)


def translated(*conditions: Condition) -> str:
    return show(from_structured(conditions, REQUEST))


def test_the_products_when_is_a_prefix_exact_headers_and_a_list_of_models() -> None:
    assert translated(*WHEN) == (
        'request.path starts_with "/v1/chat"'
        ' and header["x-env"] == "prod" and header["x-team"] == "a"'
        ' and request.model in ["gpt-4o", "gpt-4o-mini"]'
    )


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Condition("temperature", 0), "request.temperature == 0"),
        (Condition("temperature", 0.0), "request.temperature == 0"),
        (Condition("temperature", None), "request.temperature == null"),
        (Condition("stream", True), "request.stream == true"),
        (Condition("max_tokens_gt", 1000), "request.max_tokens > 1000"),
        (Condition("max_tokens_gte", 1000), "request.max_tokens >= 1000"),
        (Condition("max_tokens_lt", 1000), "request.max_tokens < 1000"),
        (Condition("max_tokens_lte", 1000), "request.max_tokens <= 1000"),
        (Condition("text.length_gt", "64KB"), "request.text.length > 65536"),
        (Condition("request.model", "a"), 'request.model == "a"'),
        (Condition("role", "admin"), 'user.role == "admin"'),
        (Condition("groups", "staff"), 'user.groups contains "staff"'),
        (Condition("provider.id", ()), "provider.id in []"),
    ],
)
def test_a_condition_means(condition: Condition, text: str) -> None:
    assert translated(condition) == text


def test_no_conditions_are_always_true() -> None:
    assert translated() == "true"


def test_an_event_has_no_short_names_but_units() -> None:
    tree = from_structured([Condition("latency_ms_gt", "2s")], EVENT)
    assert show(tree) == "latency_ms > 2000"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (Condition("modle", "a"), "unknown_field"),
        (Condition("modle_gt", 1), "unknown_field"),
        (Condition("model_gt", "a"), "wrong_operator"),
        (Condition("max_tokens_gt", (1, 2)), "no_list"),
        (Condition("model", 5), "wrong_type"),
        (Condition("model", None), "never_null"),
        (Condition("max_tokens", "many"), "bad_number"),
        (Condition("max_tokens", "5s"), "mixed_units"),
        (Condition("temperature", math.nan), "bad_number"),
        (Condition("max_tokens", 10**25), "bad_number"),
        (Condition("header", "prod"), "bad_condition"),
        (Condition("model", (Condition("a", "b"),)), "bad_condition"),
        (Condition("header", (Condition("a b", "c"),)), "bad_header_name"),
    ],
)
def test_a_refusal_has_a_code_and_the_place_of_its_condition(
    condition: Condition, code: str
) -> None:
    placed = Condition(condition.key, condition.value, Span(10, 20))
    with pytest.raises(FilterError) as caught:
        from_structured([placed], REQUEST)
    assert caught.value.code == code
    if not isinstance(condition.value, tuple) or code in ("no_list", "bad_condition"):
        assert (caught.value.start, caught.value.end) == (10, 20)


def test_the_bound_on_comparisons_holds_for_maps_too() -> None:
    most = [Condition("stream", True)] * MAX_COMPARISONS
    from_structured(most, REQUEST)
    with pytest.raises(FilterError) as caught:
        from_structured([*most, most[0]], REQUEST)
    assert caught.value.code == "too_many"


def test_a_tree_knows_where_its_conditions_stand() -> None:
    tree = from_structured([Condition("stream", True, Span(4, 9))], REQUEST)
    assert tree.span == Span(4, 9)
