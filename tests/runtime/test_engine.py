"""One phase over whole texts: findings become verdicts, time and bugs become trouble."""

import base64
import threading
from collections.abc import Callable
from types import MappingProxyType

import attrs
import pytest
import trio
from trio.testing import MockClock

from kt.exchange import Segment, Surface
from kt.filters.facts import FilterFacts
from kt.patterns.matcher import RuleSet
from kt.plan import Scan, Stage, Step
from kt.policy import ALLOW, Action, OnTrouble, Outcome, Verdict
from kt.runtime.engine import (
    INLINE_BYTES_UNBOUNDED,
    BoundStep,
    PolicyBudget,
    bind,
    bind_step,
    judge,
)
from kt.runtime.settle import Decision
from tests.support.plans import record_step, scan_step

IsOver = Callable[[], bool]


def segments(*texts: str) -> tuple[Segment, ...]:
    """Texts of a user."""
    return tuple(Segment(Surface.USER, text, ()) for text in texts)


def decide(steps: tuple[Step, ...], *texts: str, budget: float = 2.0) -> Decision:
    """What a phase of these steps comes to."""
    stages = bind(tuple(Stage(steps=(step,)) for step in steps))
    return trio.run(judge, stages, segments(*texts), PolicyBudget(budget, trio.CapacityLimiter(8)))


def planted(
    check: Callable[[], Verdict], *, inline: bool = True, seconds: float = 2.0
) -> BoundStep:
    """A step that does something else than its own."""
    step = scan_step("planted", "x", seconds=seconds)
    return BoundStep(step, lambda _, is_over: check(), 10**6 if inline else -1)


def test_every_finding_in_every_segment_is_an_edit() -> None:
    step = scan_step("p", "secret", order=7)
    decision = decide((step,), "no", "a secret", "é secret secret")
    assert decision.outcome is Outcome.REDACT
    assert [(edit.segment, edit.start, edit.end) for edit in decision.edits] == [
        (1, 2, 8),
        (2, 3, 9),
        (2, 10, 16),
    ]
    assert {(edit.label, edit.order) for edit in decision.edits} == {("[P]", 7)}
    assert decision.judged[0].verdict.spans == (6, 6, 6)
    assert decision.judged[0].verdict.rule == "p.0"


@pytest.mark.parametrize("action", [a for a in Action if a is not Action.REDACT])
def test_other_actions_edit_nothing(action: Action) -> None:
    decision = decide((scan_step("p", "secret", action=action),), "a secret")
    assert decision.judged[0].verdict.outcome is Outcome(action.value)
    assert decision.edits == ()


def test_base64_is_looked_into_where_the_plan_says_so() -> None:
    inside = base64.b64encode(b"this is a secret").decode()
    step = scan_step("p", "secret")
    assert isinstance(step.body, Scan)
    looking = attrs.evolve(step, body=attrs.evolve(step.body, decode=("base64",)))
    text = f"é {inside}!"
    assert decide((step,), text).outcome is Outcome.ALLOW
    (edit,) = decide((looking,), text).edits
    assert text.encode()[edit.start : edit.end].decode() == inside


def test_the_first_block_ends_the_phase() -> None:
    block = scan_step("block", "a", action=Action.BLOCK)
    decision = decide((block, scan_step("later", "a", order=1)), "a")
    assert [one.step.name for one in decision.judged] == ["block"]


def test_trouble_and_escalations_do_not_end_the_phase() -> None:
    escalate = scan_step("ask", "a", action=Action.ESCALATE)
    decision = decide((escalate, scan_step("block", "a", action=Action.BLOCK, order=1)), "a")
    assert decision.outcome is Outcome.BLOCK


def test_an_empty_budget_makes_every_step_late() -> None:
    decision = decide((scan_step("p", "a"),), "a", budget=0.0)
    assert (decision.outcome, decision.judged[0].verdict.outcome) == (Outcome.LATE, Outcome.LATE)


def test_a_check_that_raises_has_failed() -> None:
    def fail() -> Verdict:
        raise ValueError("secret")

    for inline in (True, False):
        bound = planted(fail, inline=inline)
        decision = trio.run(
            judge, ((bound,),), segments("a"), PolicyBudget(2.0, trio.CapacityLimiter(8))
        )
        assert decision.judged[0].verdict == Verdict(outcome=Outcome.FAILED)


def test_a_large_text_is_checked_in_a_thread_and_abandoned_at_the_deadline() -> None:
    release, seen = threading.Event(), list[bool]()

    def hang() -> Verdict:
        seen.append(release.wait(10))
        return ALLOW

    async def main() -> None:
        bound = planted(hang, inline=False, seconds=0.05)
        budget = PolicyBudget(2.0, trio.CapacityLimiter(8))
        decision = await judge(((bound,),), segments("a"), budget)
        assert decision.judged[0].verdict.outcome is Outcome.LATE
        assert decision.judged[0].seconds >= 0.05
        assert budget.remaining < 2.0
        release.set()

    trio.run(main)


def test_a_check_that_finds_every_thread_taken_is_late_at_once() -> None:
    async def main() -> None:
        threads = trio.CapacityLimiter(1)
        bound = planted(lambda: ALLOW, inline=False)
        async with threads:
            decision = await judge(((bound,),), segments("a"), PolicyBudget(2.0, threads))
        assert decision.judged[0].verdict.outcome is Outcome.LATE
        decision = await judge(((bound,),), segments("a"), PolicyBudget(2.0, threads))
        assert decision.judged[0].verdict.outcome is Outcome.ALLOW

    trio.run(main)


def test_an_abandoned_thread_is_told_that_its_time_is_over() -> None:
    told = threading.Event()

    def check(_: tuple[Segment, ...], is_over: IsOver) -> Verdict:
        while not is_over():
            pass
        told.set()
        return ALLOW

    async def main() -> None:
        bound = BoundStep(scan_step("p", "x", seconds=0.02), check, -1)
        decision = await judge(
            ((bound,),), segments("a"), PolicyBudget(2.0, trio.CapacityLimiter(8))
        )
        assert decision.judged[0].verdict.outcome is Outcome.LATE
        assert await trio.to_thread.run_sync(told.wait, 5)

    trio.run(main)


def test_a_verdict_in_hand_is_used_however_late_it_is() -> None:
    def slow() -> Verdict:
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, MockClock)
        clock.jump(5.0)
        return Verdict(outcome=Outcome.BLOCK)

    async def main() -> None:
        budget = PolicyBudget(2.0, trio.CapacityLimiter(8))
        decision = await judge(((planted(slow),),), segments("a"), budget)
        assert decision.outcome is Outcome.BLOCK
        assert budget.remaining == pytest.approx(-3.0)

    trio.run(main, clock=MockClock())


def test_trouble_passes_where_its_owner_lets_it() -> None:
    step = scan_step("p", "a", on_trouble=OnTrouble.ALLOW)
    assert decide((step,), "a", budget=0.0).outcome is Outcome.ALLOW


def test_a_step_that_reads_no_text_cannot_be_bound() -> None:
    with pytest.raises(TypeError):
        bind_step(record_step())


# ---- Steps that are for some requests only


@pytest.mark.parametrize(("stream", "names"), [(True, ["a", "b", "c"]), (False, ["b"])])
def test_a_step_that_is_not_for_a_request_says_nothing(stream: bool, names: list[str]) -> None:
    steps = (
        scan_step("a", "x", order=0, when="request.stream"),
        scan_step("b", "y", order=1),
        scan_step("c", "z", order=2, when="request.stream == true"),
    )
    facts = FilterFacts(MappingProxyType({"request.stream": stream}))
    budget = PolicyBudget(2.0, trio.CapacityLimiter(8))
    fused = bind((Stage(steps=steps),))
    decision = trio.run(judge, fused, segments("nothing"), budget, facts)
    assert [one.step.name for one in decision.judged] == names
    decision = trio.run(judge, fused, segments("x and z"), budget, facts)
    found = [one.step.name for one in decision.judged if one.verdict.edits]
    assert found == [name for name in names if name != "b"]


def test_a_pass_is_as_long_as_the_rules_of_all_its_members_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One without a longest match is not for this request, and is searched for all the same."""
    steps = (
        scan_step("a", "x{3}", order=0),
        scan_step("b", "y{3}", order=1),
        scan_step("c", "z+", order=2, when="request.stream"),
    )
    ((first, *_),) = stages = bind((Stage(steps=steps),))
    asked = list[int]()
    find = RuleSet.find

    def noted(self: RuleSet, text: str, is_over: IsOver) -> object:
        if self is first.gate:
            asked.append(len(text))
        return find(self, text, is_over)

    monkeypatch.setattr(RuleSet, "find", noted)
    for size in (INLINE_BYTES_UNBOUNDED, INLINE_BYTES_UNBOUNDED + 1):
        budget = PolicyBudget(2.0, trio.CapacityLimiter(8))
        trio.run(judge, stages, segments("-" * size), budget)
    assert asked == [INLINE_BYTES_UNBOUNDED]
