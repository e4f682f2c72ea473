"""The proof finds every planted bug of the optimizer, and makes its request small."""

import attrs
import pytest

from kt.compiler import Compiled, compile_source
from kt.plan import Plan, Scan, Stage
from kt.policy import Action, Phase
from kt.source import Source
from kt.verify import Counterexample, verify

CONFIG = """
policies: {chain: [pii-detector, prompt-injection]}
policy: {pii-detector: {detect_patterns: ["tok_[a-z]+"]}}
"""
FEW = 60


def compiled() -> Compiled:
    return compile_source(Source("kt.yaml", CONFIG))


def checked(plan: Plan) -> Counterexample | None:
    return verify(compiled().program, plan, FEW)


def changed(plan: Plan, **fields: object) -> Plan:
    """The plan with a planted bug in its input detector of personal data."""
    first, second = plan.input
    (step,) = second.steps
    assert isinstance(step.body, Scan)
    body = attrs.evolve(step.body, **fields)  # type: ignore[arg-type]
    broken = attrs.evolve(step, body=body)
    return attrs.evolve(plan, input=(first, Stage(steps=(broken,))))


def test_a_compiled_plan_holds() -> None:
    assert checked(compiled().plan) is None


def test_a_plan_without_a_step_is_found() -> None:
    plan = compiled().plan
    found = checked(attrs.evolve(plan, input=plan.input[:1]))
    assert found is not None
    assert found.phase is Phase.INPUT
    assert sum(map(len, found.texts)) < 40


@pytest.mark.parametrize("action", [Action.BLOCK, Action.ESCALATE, Action.FLAG])
def test_another_action_is_found(action: Action) -> None:
    found = checked(changed(compiled().plan, action=action))
    assert found is not None
    assert "the plan" in found.difference


def test_another_order_of_edits_is_found() -> None:
    plan = compiled().plan
    (step,) = plan.output[0].steps
    assert isinstance(step.body, Scan)
    rules = tuple(attrs.evolve(rule, label="[X]") for rule in step.body.rules)
    broken = attrs.evolve(step, body=attrs.evolve(step.body, rules=rules))
    found = checked(attrs.evolve(plan, output=(Stage(steps=(broken,)),)))
    assert found is not None
    assert (found.phase, found.difference) == (Phase.OUTPUT, "the plan passes on another text")


def test_the_same_file_gives_the_same_counterexample() -> None:
    plan = compiled().plan
    broken = attrs.evolve(plan, input=plan.input[1:])
    assert checked(broken) == checked(broken)
