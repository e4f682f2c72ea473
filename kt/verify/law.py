"""The proof on a user's own file: for generated requests the plan decides as the naive order.

In: the declared program and the plan that was made of it. Out: the smallest request on which they
differ, or None. The only room of `kt` that knows hypothesis; the same file gives the same answer.
"""

import attrs
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st

from kt.compiler.program import Program
from kt.edits import apply
from kt.exchange import Segment, Surface
from kt.patterns.samples import samples
from kt.plan import Plan, Scan, Stage, Step
from kt.policy import Outcome, Phase
from kt.runtime.engine import BoundStep, PolicyBudget, bind, judge
from kt.runtime.settle import Decision
from kt.verify.naive import NaiveResult, decide

SAMPLES = 3
"""How many texts that it finds are made of each rule."""
MOST_TEXTS = 3
MOST_PIECES = 4
FILLERS = ("hello ", "\n", "é", "1", ", ", "\N{ZERO WIDTH SPACE}")
"""What stands between, and may break or lengthen what a rule finds."""
FOREVER = 1e9
"""No verdict of the proof is late: time is not what it is about."""

Texts = tuple[str, ...]


@attrs.frozen
class Counterexample:
    """A request, or an answer, on which the plan and the naive order differ."""

    phase: Phase
    texts: Texts
    difference: str


class _Differs(Exception):
    """What hypothesis makes smaller."""

    def __init__(self, found: Counterexample) -> None:
        super().__init__(found.difference)
        self.found = found


def verify(program: Program, plan: Plan, requests: int) -> Counterexample | None:
    """Hold that many generated texts of each phase against the naive order."""
    for phase, stages in ((Phase.INPUT, plan.input), (Phase.OUTPUT, plan.output)):
        declared = tuple(step for stage in program.phase(phase) for step in stage.steps)
        kept = tuple(step for step in declared if step.order not in program.disabled)
        found = _verify_phase(phase, kept, stages, requests)
        if found is not None:
            return found
    return None


def _verify_phase(
    phase: Phase, declared: tuple[Step, ...], stages: tuple[Stage, ...], requests: int
) -> Counterexample | None:
    bound = bind(tuple(_patient(stage) for stage in stages))

    @settings(
        max_examples=requests,
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Part.explicit, Part.generate, Part.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(_texts(declared))
    def law(texts: Texts) -> None:
        difference = _difference(decide(declared, texts), *trio.run(_run, bound, texts))
        if difference is not None:
            raise _Differs(Counterexample(phase, texts, difference))

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


def _texts(declared: tuple[Step, ...]) -> st.SearchStrategy[Texts]:
    """Texts made of what the rules find, of fillers, and of anything."""
    scans = [step.body for step in declared if isinstance(step.body, Scan)]
    found = {text for scan in scans for rule in scan.rules for text in samples(rule, SAMPLES)}
    piece = st.one_of(st.sampled_from([*FILLERS, *sorted(found)]), st.text(max_size=6))
    text = st.lists(piece, max_size=MOST_PIECES).map("".join)
    return st.lists(text, min_size=1, max_size=MOST_TEXTS).map(tuple)


async def _run(stages: tuple[tuple[BoundStep, ...], ...], texts: Texts) -> tuple[Decision, Texts]:
    segments = tuple(Segment(Surface.USER, text, ()) for text in texts)
    decision = await judge(stages, segments, PolicyBudget(FOREVER, trio.CapacityLimiter(1)))
    shown = tuple(
        apply(text.encode(), [edit for edit in decision.edits if edit.segment == at]).decode()
        for at, text in enumerate(texts)
    )
    return decision, shown


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
