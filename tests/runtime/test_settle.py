"""From verdicts to one decision: the order of strength, whatever the order of arrival."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.policy import Action, Edit, OnTrouble, Outcome, Phase, Verdict
from kt.runtime.settle import Decision, Judged, settle
from tests.support.plans import record_step, scan_step

STRENGTH = (
    (Outcome.BLOCK,),
    (Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE),
    (Outcome.ESCALATE,),
    (Outcome.REDACT,),
)


@st.composite
def judgements(draw: st.DrawFn) -> list[Judged]:
    """Verdicts of different steps."""
    orders = draw(st.lists(st.integers(0, 20), max_size=6, unique=True))
    made = []
    for order in orders:
        outcome = draw(st.sampled_from(Outcome))
        step = scan_step(f"p{order}", order=order, on_trouble=draw(st.sampled_from(OnTrouble)))
        edits = (Edit(0, order, order + 1, "x"),) if outcome is Outcome.REDACT else ()
        made.append(Judged(step, Verdict(outcome=outcome, edits=edits)))
    return made


def expected(judged: list[Judged]) -> tuple[Outcome, str | None]:
    """The specification: the strongest outcome, and the first policy in declared order for it."""
    for outcomes in STRENGTH:
        hits = [one for one in judged if one.verdict.outcome in outcomes]
        if outcomes == STRENGTH[1]:
            hits = [one for one in hits if one.step.on_trouble is OnTrouble.BLOCK]
        if hits and outcomes != STRENGTH[3]:
            first = min(hits, key=lambda one: one.step.order)
            return first.verdict.outcome, first.step.name
        if hits:
            return Outcome.REDACT, None
    return Outcome.ALLOW, None


def check_law(judged: list[Judged], decision: Decision) -> None:
    """Hold a decision against the specification."""
    assert (decision.outcome, decision.step and decision.step.name) == expected(judged)
    assert decision.judged == tuple(judged)
    if decision.step is None:
        wanted = {edit for one in judged for edit in one.verdict.edits}
        assert set(decision.edits) == wanted
    else:
        assert decision.edits == ()


@given(judgements())
def test_a_decision_is_the_strongest_verdict(judged: list[Judged]) -> None:
    check_law(judged, settle(judged))


@given(judgements(), st.randoms())
def test_the_order_of_arrival_decides_nothing(judged: list[Judged], random: object) -> None:
    shuffled = list(judged)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = settle(judged), settle(shuffled)
    assert (one.outcome, one.step) == (other.outcome, other.step)
    assert set(one.edits) == set(other.edits)


def test_the_law_finds_a_decision_by_arrival() -> None:
    judged = [
        Judged(scan_step("late", order=0), Verdict(outcome=Outcome.LATE)),
        Judged(scan_step("block", order=1), Verdict(outcome=Outcome.BLOCK)),
    ]
    planted = Decision(outcome=Outcome.LATE, step=judged[0].step, judged=tuple(judged))
    check_law(judged, settle(judged))
    with pytest.raises(AssertionError):
        check_law(judged, planted)


@pytest.mark.parametrize(
    ("outcome", "action", "phase", "code"),
    [
        (Outcome.BLOCK, Action.BLOCK, Phase.INPUT, "input_blocked"),
        (Outcome.BLOCK, Action.BLOCK, Phase.OUTPUT, "output_blocked"),
        (Outcome.ESCALATE, Action.ESCALATE, Phase.INPUT, "escalation_required"),
        (Outcome.ESCALATE, Action.ESCALATE, Phase.OUTPUT, "escalation_required"),
        (Outcome.LATE, Action.REDACT, Phase.INPUT, "policy_unavailable"),
        (Outcome.FAILED, Action.REDACT, Phase.OUTPUT, "policy_unavailable"),
    ],
)
def test_a_refusal_has_the_code_of_its_outcome(
    outcome: Outcome, action: Action, phase: Phase, code: str
) -> None:
    step = scan_step("p", "x", action=action, phase=phase)
    refusal = settle([Judged(step, Verdict(outcome=outcome))]).refusal()
    assert refusal is not None
    assert (refusal.code, refusal.policy) == (code, "p")


@pytest.mark.parametrize(
    "outcome", [Outcome.ALLOW, Outcome.REDACT, Outcome.FLAG, Outcome.WARN, Outcome.LOG]
)
def test_what_goes_on_has_no_refusal(outcome: Outcome) -> None:
    assert settle([Judged(scan_step("p"), Verdict(outcome=outcome))]).refusal() is None


def test_trouble_that_may_pass_does_not_decide() -> None:
    step = scan_step("p", on_trouble=OnTrouble.ALLOW)
    judged = Judged(step, Verdict(outcome=Outcome.FAILED))
    assert settle([judged]).outcome is Outcome.ALLOW


def test_a_step_that_is_no_scan_blocks_under_its_name() -> None:
    step = attrs.evolve(record_step(), phase=Phase.INPUT)
    refusal = settle([Judged(step, Verdict(outcome=Outcome.BLOCK))]).refusal()
    assert refusal is not None
    assert "audit-logger" in refusal.message
