"""The proof on a user's own file: for generated requests the plan decides as the naive order.

In: the declared program and the plan that was made of it. Out: the smallest request, or answer, on
which they differ, or None. The same file gives the same answer.
"""

from collections.abc import Callable

import attrs
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st

from kt.compiler.program import Program
from kt.edits import apply
from kt.exchange import Segment, Surface
from kt.patterns.scanner import IsOver, OutOfTime
from kt.plan import Plan, Stage, Step
from kt.policy import Outcome, Phase, Verdict
from kt.runtime.engine import BoundStep, Check, PolicyBudget, bind, judge, local
from kt.runtime.fused import StreamRules
from kt.runtime.settle import Decision
from kt.verify import streamed
from kt.verify.cases import Case, Texts, streamed_cases, whole_cases
from kt.verify.naive import NaiveResult, decide

FOREVER = 1e9
"""No verdict of the proof is late by itself: only where the case says so."""

Stages = tuple[tuple[BoundStep, ...], ...]


@attrs.frozen
class Counterexample:
    """A request, or an answer, on which the plan and the naive order differ."""

    case: Case
    difference: str


class _Differs(Exception):
    """What hypothesis makes smaller."""

    def __init__(self, found: Counterexample) -> None:
        super().__init__(found.difference)
        self.found = found


def verify(program: Program, plan: Plan, requests: int) -> Counterexample | None:
    """Hold that many requests, answers and streamed answers against the naive order."""
    asked, answered = (_declared(program, phase) for phase in (Phase.INPUT, Phase.OUTPUT))
    rules = StreamRules.of(plan.output)
    return (
        _whole(Phase.INPUT, asked, plan.input, requests)
        or _whole(Phase.OUTPUT, answered, plan.output, requests)
        or _tried(
            streamed_cases(answered),
            lambda case: streamed.difference(answered, rules, case),
            requests,
        )
    )


def _declared(program: Program, phase: Phase) -> tuple[Step, ...]:
    steps = (step for stage in program.phase(phase) for step in stage.steps)
    return tuple(step for step in steps if step.order not in program.disabled)


def _whole(
    phase: Phase, declared: tuple[Step, ...], stages: tuple[Stage, ...], requests: int
) -> Counterexample | None:
    bound = bind(local(tuple(_patient(stage) for stage in stages)))

    def differs(case: Case) -> str | None:
        wanted = decide(declared, case.texts, case.facts, case.trouble)
        return _difference(wanted, *trio.run(_run, bound, case))

    return _tried(whole_cases(phase, declared), differs, requests)


def _tried(
    cases: st.SearchStrategy[Case], difference: Callable[[Case], str | None], requests: int
) -> Counterexample | None:
    @settings(
        max_examples=requests,
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Part.explicit, Part.generate, Part.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def law(case: Case) -> None:
        found = difference(case)
        if found is not None:
            raise _Differs(Counterexample(case, found))

    try:
        law()
    except _Differs as smallest:
        return smallest.found
    return None


def _patient(stage: Stage) -> Stage:
    steps = (
        attrs.evolve(step, limit=attrs.evolve(step.limit, seconds=FOREVER)) for step in stage.steps
    )
    return attrs.evolve(stage, steps=tuple(steps))


async def _run(stages: Stages, case: Case) -> tuple[Decision, Texts]:
    segments = tuple(Segment(Surface.USER, text, ()) for text in case.texts)
    troubled = tuple(tuple(_troubled(one, case) for one in stage) for stage in stages)
    budget = PolicyBudget(FOREVER, trio.CapacityLimiter(1))
    decision = await judge(troubled, segments, budget, case.facts)
    shown = tuple(
        apply(text.encode(), [edit for edit in decision.edits if edit.segment == at]).decode()
        for at, text in enumerate(case.texts)
    )
    return decision, shown


def _troubled(bound: BoundStep, case: Case) -> BoundStep:
    trouble = case.trouble.get(bound.step.order)
    if trouble is None:
        return bound
    # What cannot answer takes no part in a pass that answers for several.
    return attrs.evolve(bound, check=_failing(trouble), gate=None)


def _failing(trouble: Outcome) -> Check:
    """A check that gets into this trouble as a real one would."""

    def check(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
        if trouble is Outcome.LATE:
            raise OutOfTime
        if trouble is Outcome.FAILED:
            raise RuntimeError("made to fail")
        return Verdict(outcome=trouble)

    return check


def _difference(wanted: NaiveResult, decision: Decision, shown: Texts) -> str | None:
    """What the plan does otherwise, None where it does the same."""
    if decision.outcome is not wanted.outcome:
        return f"the plan says {decision.outcome.value}, the naive order {wanted.outcome.value}"
    recorded = {(one.step.name, one.verdict.outcome) for one in decision.judged}
    if decision.step is not None:
        name = decision.step.name
        if name not in wanted.may_be_named or (name, decision.outcome) not in recorded:
            return f"the plan names '{name}', which alone would not have led to it"
    elif shown != wanted.texts:
        return "the plan passes on another text"
    if not recorded <= wanted.recorded:
        return "the plan records what the naive order does not"
    if decision.outcome is not Outcome.BLOCK and recorded != wanted.recorded:
        return "the plan records less than the naive order"
    return None
