"""Groups, names of models and strategies, as they are written."""

import pytest

from kt.compiler import compile_source
from kt.errors import ConfigError
from kt.plan import Plan
from kt.routing.values import Member, Renaming, Strategy
from kt.source import Source

TARGETS = (
    "providers: {targets: [{id: a, provider: openai, model: m}, {id: b, provider: anthropic}]}\n"
)


def compiled(text: str) -> Plan:
    """The plan of a text."""
    return compile_source(Source("kt.yaml", text)).plan


@pytest.mark.parametrize(
    "group",
    [
        "targets: [{provider: openai, model: x, weight: 7}, {provider: anthropic, weight: 3}]",
        "models: [{provider: openai, model: x, weight: 7}, {provider: b, weight: 3}]",
        "strategy: weighted, targets: [{target: a, model: x, weight: 7}, {id: b, weight: 3}]",
    ],
)
def test_every_published_shape_of_a_group_means_the_same(group: str) -> None:
    (found,) = compiled(f"{TARGETS}model_groups: [{{name: g, {group}}}]").routing.groups
    first = Member(target="a", model="x", weight=7.0)
    assert found.members == (first, Member(target="b", model=None, weight=3.0))
    assert found.strategy is Strategy.WEIGHTED


def test_a_member_that_is_only_named_keeps_its_model() -> None:
    (found,) = compiled(f"{TARGETS}model_groups: [{{name: g, targets: [a, b]}}]").routing.groups
    assert [one.model for one in found.members] == ["m", None]
    assert found.strategy is Strategy.ORDERED


def test_names_of_models_are_by_target() -> None:
    found = compiled(f"{TARGETS}model_mapping: {{gpt: {{openai: x, b: y}}}}").routing.renamings
    assert set(found) == {
        Renaming(model="gpt", target="a", name="x"),
        Renaming(model="gpt", target="b", name="y"),
    }


def test_the_window_of_latencies_is_as_written() -> None:
    text = "providers: {routing: {strategy: latency, window_seconds: 9, min_sample_count: 2}}"
    routing = compiled(text).routing
    assert (routing.strategy, routing.window.seconds, routing.min_samples.value) == (
        *(Strategy.LOWEST_LATENCY, 9.0),
        2,
    )
    assert (
        compiled("fallback: {strategy: cost, latency_window: 5m}").routing.window.seconds == 300.0
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model_groups: [{name: g, targets: [zzz]}]", "unknown_target"),
        ("model_mapping: {gpt: {zzz: x}}", "unknown_target"),
        ("fallback: {provider: zzz}", "unknown_target"),
        ("model_groups: [{name: g, targets: [a], fallback_group: h}]", "unknown_group"),
        ("model_groups: [{name: g, targets: [a], fallback_group: g}]", "group_cycle"),
        ("model_groups: [{name: g, targets: [a], aliases: [g]}]", "model_name_twice"),
        ("model_groups: [{name: g, targets: [{model: x}]}]", "missing_key"),
    ],
)
def test_a_name_that_nothing_has_is_an_error(text: str, name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(TARGETS + text)
    assert [one.name for one in raised.value.report.errors] == [name]
