"""The values between policies and the rest: trouble is known, nothing can be changed."""

from typing import Any

import attrs
import pytest

from kt.policy import ALLOW, Edit, Facts, Finding, Outcome, Rule, Verdict

VALUES = (
    ALLOW,
    Rule(id="r", pattern="x"),
    Finding(0, 1, 2),
    Edit(0, 1, 2, "x"),
    Facts(surfaces=frozenset()),
)


def test_only_what_could_not_answer_is_trouble() -> None:
    trouble = {outcome for outcome in Outcome if outcome.is_trouble}
    assert trouble == {Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_frozen_and_can_be_hashed(value: Any) -> None:  # Any: evolve wants one class
    field = attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, field, None)
    assert hash(value) == hash(attrs.evolve(value))


def test_to_allow_says_nothing_else() -> None:
    assert Verdict(outcome=Outcome.ALLOW) == ALLOW
    assert (ALLOW.edits, ALLOW.rule, ALLOW.spans) == ((), None, ())
