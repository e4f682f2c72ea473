"""The proof finds every planted bug of the optimizer, and makes its request small."""

from collections.abc import Callable

import attrs
import pytest

from kt.compiler import Compiled, compile_source
from kt.filters.syntax import Always, Filter
from kt.plan import Plan, Scan, Stage, Step
from kt.policy import Action, OnTrouble, Phase
from kt.runtime.fused import StreamRules
from kt.runtime.window import LaneWindow
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
    assert found.case.phase is Phase.INPUT
    assert sum(map(len, found.case.texts)) < 40


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
    assert found.case.phase is Phase.OUTPUT
    assert found.difference == "the plan passes on another text"


def test_the_same_file_gives_the_same_counterexample() -> None:
    plan = compiled().plan
    broken = attrs.evolve(plan, input=plan.input[1:])
    assert checked(broken) == checked(broken)


# ---- Conditions, trouble and streams

CONDITIONAL = """
policies:
  chain:
    - pii-detector: {when: 'header["x-env"] == "prod" and request.max_tokens > 2000'}
    - prompt-injection
policy: {pii-detector: {detect_patterns: ["tok_[a-z]+"]}}
"""


def conditional() -> Compiled:
    return compile_source(Source("kt.yaml", CONDITIONAL))


def every_step(plan: Plan, change: Callable[[Step], Step]) -> Plan:
    """The plan with every step changed."""

    def all_of(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        return tuple(attrs.evolve(stage, steps=tuple(map(change, stage.steps))) for stage in stages)

    return attrs.evolve(plan, input=all_of(plan.input), output=all_of(plan.output))


def test_a_plan_with_conditions_holds() -> None:
    found = conditional()
    assert any(step.when is not None for step in found.plan.steps(Phase.OUTPUT))
    assert verify(found.program, found.plan, FEW) is None


@pytest.mark.parametrize("wanted", [None, Always(always=False)])
def test_a_condition_that_is_lost_is_found_with_what_makes_it_true_or_false(
    wanted: Filter | None,
) -> None:
    found = conditional()
    broken = every_step(
        found.plan, lambda step: attrs.evolve(step, when=wanted) if step.when else step
    )
    differs = verify(found.program, broken, FEW)
    assert differs is not None
    told = "\n".join(differs.case.told())
    if wanted is not None:
        assert 'request: header["x-env"] is "prod"' in told
        assert "request: request.max_tokens is 2001" in told


def test_another_end_of_trouble_is_found() -> None:
    found = compiled()
    opened = every_step(found.plan, lambda step: attrs.evolve(step, on_trouble=OnTrouble.ALLOW))
    differs = verify(found.program, opened, FEW)
    assert differs is not None
    assert len(differs.case.trouble) == 1
    assert "trouble: entry" in "\n".join(differs.case.told())


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(lambda self, facts: self, id="conditions are not asked"),
        pytest.param(
            lambda self, facts: attrs.evolve(self, steps=self.steps[:0]), id="steps are lost"
        ),
    ],
)
def test_streams_that_look_for_other_rules_are_found(
    planted: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: only streamed answers are judged otherwise."""
    found = conditional()
    monkeypatch.setattr(StreamRules, "for_request", planted)
    differs = verify(found.program, found.plan, FEW)
    assert differs is not None
    assert differs.case.cuts is not None
    assert differs.difference.startswith("streamed")


def test_text_that_nobody_holds_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a piece goes on as it came."""
    monkeypatch.setattr(LaneWindow, "feed", lambda self, text: text)
    monkeypatch.setattr(LaneWindow, "finish", lambda self: "")
    differs = checked(compiled().plan)
    assert differs is not None
    assert differs.case.cuts is not None


def test_a_gate_that_stays_open_without_time_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: who cannot be evaluated in time lets pass, whatever its owner says."""
    monkeypatch.setattr(StreamRules, "demand_open", lambda self: None)
    differs = verify(compiled().program, compiled().plan, 200)
    assert differs is not None
    assert differs.case.late_after is not None
