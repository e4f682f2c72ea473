"""Structure: the JSON of a value is that value and nothing else is."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.filters.parser import parse_filter
from kt.filters.vocabulary import REQUEST
from kt.plan import NotEnforced, Plan, Stage, Step, to_data
from kt.planfile.structure import Misfit, structure
from kt.policy import Phase
from tests.support.plans import plan, record_step, scan_step, target

FILTERS = (
    'request.model == "a"',
    'request.model in ["a", "b"] and not request.stream',
    'exists(user.id) or header["x-env"] ~ "a+" or request.temperature > 0.5',
    "request.temperature == null and request.messages.count >= 3",
    "true",
)


def example(condition: str = FILTERS[0]) -> Plan:
    """A plan with every class in it."""
    one = attrs.evolve(
        scan_step("one", "a", phase=Phase.INPUT), when=parse_filter(condition, REQUEST)
    )
    idle = attrs.evolve(
        scan_step("idle", "a", phase=Phase.INPUT, order=1), body=NotEnforced(reason="not yet")
    )
    return plan(one, idle, scan_step("two", "b"), record_step(), targets=(target(model="m"),))


@pytest.mark.parametrize("condition", FILTERS)
def test_a_value_is_read_from_its_own_data(condition: str) -> None:
    whole = example(condition)
    data = to_data(whole)
    read = structure(data, Plan)
    assert read == whole
    assert to_data(read) == data


def test_the_spans_and_forms_of_filters_come_back() -> None:
    (stage, *_) = structure(to_data(example()), Plan).input
    (before, *_) = example().input
    assert to_data(stage.steps[0].when) == to_data(before.steps[0].when)


def changed(path: str, value: Any) -> Any:
    """The data of the example with one part replaced."""
    data = to_data(example())
    at, parts = data, path.split(".")
    for part in parts[:-1]:
        at = at[int(part) if part.isdigit() else part]
    at[int(parts[-1]) if parts[-1].isdigit() else parts[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name", 1, "name: not a text"),
        ("name", "\ud800", "name: half a character"),
        ("enabled", 1, "enabled: not true or false"),
        ("listen_port", True, "listen_port: not a whole number"),
        ("listen_port", 1.0, "listen_port: not a whole number"),
        ("timeouts.queue.seconds", "1", "timeouts.queue.seconds: not a number"),
        ("timeouts.queue.seconds", True, "timeouts.queue.seconds: not a number"),
        ("timeouts.queue.seconds", float("inf"), "timeouts.queue.seconds: not a finite number"),
        ("timeouts.queue", None, "timeouts.queue: not an object"),
        ("engines", "ab", "engines: not a list"),
        ("engines", ["ab"], "engines[0]: not a list"),
        ("engines", [["a"]], "engines[0]: not 2 items"),
        ("input.0.steps.0.phase", "inputs", "input[0].steps[0].phase: not a word of Phase"),
        ("input.0.steps.0.phase", [], "input[0].steps[0].phase: not a word of Phase"),
        ("input.0.steps.0.facts.surfaces", ["user", "system"], "surfaces: not sorted"),
        ("input.0.steps.0.facts.surfaces", ["user", "user"], "surfaces: not sorted"),
        ("input.0.steps.0.body.node", "Exec", "input[0].steps[0].body: not one of"),
        ("input.0.steps.0.body.more", 1, "input[0].steps[0].body: unknown field 'more'"),
        ("input.0.steps.0.when", {"always": True}, "input[0].steps[0].when: not one of"),
        ("input.0.steps.0.when", True, "input[0].steps[0].when: not one of"),
        ("input.0.steps.0.body.rules.0.derived", "x", "derived: not a word of Derived"),
        ("output", None, "output: not a list"),
        ("targets.0.secret", {"name": "A"}, "targets[0].secret: not one of"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(path: str, value: Any, said: str) -> None:
    with pytest.raises(Misfit) as raised:
        structure(changed(path, value), Plan)
    assert said in str(raised.value)


def test_a_missing_field_is_named() -> None:
    data = to_data(example())
    del data["input"][0]["steps"][0]["limit"]
    with pytest.raises(Misfit, match=r"input\[0\]\.steps\[0\]: the field 'limit' is"):
        structure(data, Plan)


def test_no_value_is_quoted() -> None:
    with pytest.raises(Misfit) as raised:
        structure(changed("input.0.steps.0.phase", "sk-secret"), Plan)
    assert "sk-secret" not in str(raised.value)


def test_a_filter_nested_without_end_is_refused() -> None:
    step = to_data(example())["input"][0]["steps"][0]
    tree: Any = step["when"]
    for _ in range(2000):
        tree = {"negated": tree, "span": {"start": 0, "end": 0}}
    with pytest.raises(Misfit, match="nested too deep"):
        structure({**step, "when": tree}, Step)


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(ANY, st.sampled_from([Plan, Stage, Step]))
def test_nothing_else_is_a_plan(value: object, due: type) -> None:
    with pytest.raises(Misfit):
        structure(value, due)
