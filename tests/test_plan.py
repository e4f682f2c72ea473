"""The digest of a plan: what acts is in it, what explains is not; equal values, equal bytes."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import attrs
import pytest

from kt.plan import Plan, canonical_json, to_data
from kt.policy import Phase
from tests.support.plans import plan, record_step, scan_step, target

# Any: a changed field has the type of its field.


def example() -> Plan:
    """A plan with something in every field."""
    steps = (scan_step("a", "x", phase=Phase.INPUT), scan_step("b", "y", "z"), record_step())
    return attrs.evolve(
        plan(*steps, targets=(target(model="m"),)), engines=(("re2", "1"), ("kt", "1"))
    )


def changed(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case None:
            return "x"
        case Enum():
            return next(one for one in type(value) if one is not value)
        case frozenset():
            return frozenset(list(value)[1:]) if value else frozenset({"x"})
    raise TypeError(type(value))


def variations(value: Any, *, acting: bool = True) -> Iterator[tuple[str, Any]]:
    """Every value that differs in one leaf, with the leaf's path; of fields that act, or do not."""
    if isinstance(value, tuple):
        if acting:
            yield "()", (*value, *value) if value else ("x",)
        for at, item in enumerate(value):
            for path, other in variations(item, acting=acting):
                yield f"[{at}]{path}", (*value[:at], other, *value[at + 1 :])
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            below = getattr(value, field.name)
            if field.metadata.get("descriptive"):
                if not acting:
                    yield f".{field.name}", attrs.evolve(value, **{field.name: "other"})
                continue
            for path, other in variations(below, acting=acting):
                yield f".{field.name}{path}", attrs.evolve(value, **{field.name: other})
    elif acting:
        yield "", changed(value)


VARIED = tuple(variations(example()))
DESCRIBED = tuple(variations(example(), acting=False))


@pytest.mark.parametrize("other", [one for _, one in VARIED], ids=[path for path, _ in VARIED])
def test_every_field_that_acts_changes_the_digest(other: Plan) -> None:
    assert other != example()
    assert other.digest != example().digest


@pytest.mark.parametrize("other", [one for _, one in DESCRIBED], ids=[at for at, _ in DESCRIBED])
def test_a_field_that_explains_changes_neither_digest_nor_equality(other: Plan) -> None:
    assert other == example()
    assert other.digest == example().digest
    assert canonical_json(other) != canonical_json(example())


def test_the_variations_reach_every_corner() -> None:
    paths = {path for path, _ in VARIED}
    assert {
        ".timeouts.drain.seconds",
        ".output[0].steps[0].body.rules[1].pattern",
        ".audit[0].body.log_all_access",
        ".targets[0].pool.idle.seconds",
        ".engines[0][1]",
        ".input[0].steps[0].facts.surfaces",
    } <= paths
    assert {".timeouts.drain.origin", ".targets[0].origin", ".input[0].steps[0].because"} <= {
        path for path, _ in DESCRIBED
    }


def test_equal_plans_have_equal_bytes() -> None:
    assert example() is not example()
    assert canonical_json(example()) == canonical_json(example())


def test_the_json_form_is_plain_data_without_spaces() -> None:
    data = canonical_json(example())
    assert b": " not in data
    document = to_data(example())
    assert document["format"] == 1
    assert document["audit"][0]["body"] == {"log_all_access": True, "node": "Record"}
    assert document["input"][0]["steps"][0]["facts"]["surfaces"] == sorted(
        document["input"][0]["steps"][0]["facts"]["surfaces"]
    )


def test_the_steps_of_a_phase_come_in_the_order_of_the_stages() -> None:
    assert [step.name for step in example().steps(Phase.INPUT)] == ["a"]
    assert [step.name for step in example().steps(Phase.OUTPUT)] == ["b"]
    assert [step.name for step in example().steps(Phase.AUDIT)] == ["audit-logger"]
