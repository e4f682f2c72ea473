"""Laws of the optimizer and of limits: same steps, only allowed swaps, stable, bounded."""

import itertools
import math
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler import compile_source
from kt.compiler.optimizer import RULES
from kt.compiler.optimizer.laws import broken_limits
from kt.compiler.optimizer.parallel_groups import parallel_groups
from kt.compiler.optimizer.run import run
from kt.compiler.profile import Measured, Profile
from kt.compiler.program import PARTS, Program
from kt.errors import HouseBug
from kt.filters.parser import parse_filter
from kt.filters.syntax import Always, Filter
from kt.filters.vocabulary import REQUEST
from kt.plan import Limit, Plan, Stage, Step, Timeouts
from kt.policy import Cost, Facts, Phase, Sees
from kt.source import Source
from tests.support.config_strategies import configs, to_block
from tests.support.plans import limit, plan, scan_step, timeouts
from tests.support.programs import program_of

FACTS = st.builds(
    Facts,
    surfaces=st.just(frozenset()),
    can_block=st.booleans(),
    edits=st.booleans(),
    has_effects=st.booleans(),
    keeps_state=st.booleans(),
    cost=st.sampled_from(Cost),
    sees=st.sampled_from(Sees),
    free_order=st.booleans(),
)


WHENS = st.sampled_from([None, None, "request.stream", "false"])


def step_of(order: int, facts: Facts, phase: Phase = Phase.INPUT, pattern: str = "a") -> Step:
    """A step with these facts."""
    step = scan_step(f"step{order}", pattern, phase=phase, order=order)
    return attrs.evolve(step, facts=facts)


@st.composite
def programs(draw: st.DrawFn, most: int = 8) -> Program:
    """Programs of any facts, phases, groups, switches, conditions, limits and measurements."""
    facts = draw(st.lists(FACTS, max_size=most))
    phases = st.sampled_from([Phase.INPUT, Phase.TOOL, Phase.OUTPUT, Phase.AUDIT])
    groups = draw(st.lists(st.sampled_from([None, None, "g", "h"]), max_size=most))
    limits = st.sampled_from([0.5, 2.0, 9.0])
    steps = [
        attrs.evolve(
            step_of(order, one, draw(phases)), limit=limit(draw(limits)), when=draw(conditions())
        )
        for order, one in enumerate(facts)
    ]
    program = program_of(steps, groups)
    disabled = draw(st.frozensets(st.integers(0, most), max_size=2))
    return attrs.evolve(program, disabled=disabled, profile=draw(profiles(steps)))


def conditions() -> st.SearchStrategy[Filter | None]:
    """No condition, one that requests may meet, and the one that none meets."""
    return WHENS.map(lambda text: None if text is None else parse_filter(text, REQUEST))


@st.composite
def profiles(draw: st.DrawFn, steps: list[Step]) -> Profile:
    """Measurements of some of the steps."""
    rows = []
    for step in steps:
        if draw(st.booleans()):
            runs = draw(st.integers(1, 50))
            blocks = draw(st.integers(0, runs))
            spent = draw(st.integers(0, 10**6))
            rows.append(Measured(step.name, step.phase.value, runs, blocks, spent))
    return Profile(tuple(rows))


def steps_of(program: Program, part: Phase) -> list[Step]:
    """The steps of a part that may ever run, in order."""
    steps = (step for stage in program.phase(part) for step in stage.steps)
    return [
        step
        for step in steps
        if step.order not in program.disabled and step.when != Always(always=False)
    ]


@given(programs())
def test_optimizing_keeps_every_step_that_may_ever_run(program: Program) -> None:
    optimized, _ = run(program, RULES)
    for part in PARTS:
        before, after = steps_of(program, part), steps_of(optimized, part)
        assert sorted(step.order for step in before) == sorted(step.order for step in after)
        assert len(after) == sum(len(stage.steps) for stage in optimized.phase(part))


@given(programs())
def test_optimizing_twice_changes_nothing_more(program: Program) -> None:
    once, _ = run(program, RULES)
    twice, trace = run(once, RULES)
    assert trace == ()
    assert [step.because for step in twice.steps] == [step.because for step in once.steps]
    assert twice == once
    assert run(program, RULES) == run(program, RULES)


@given(programs())
def test_every_change_of_place_or_limit_has_its_reason(program: Program) -> None:
    optimized, trace = run(program, RULES)
    rules = {rule.__name__ for rule in RULES}
    assert {change.rule for change in trace} <= rules
    limits = {(step.order, step.phase): step.limit.seconds for step in program.steps}
    for stage in optimized.stages:
        for step in stage.steps:
            if step.limit.seconds < limits[step.order, step.phase]:
                assert any("resolve_timeouts" in reason for reason in step.because)
        if len(stage.steps) > 1:
            assert any(step.because for step in stage.steps)


def acts(step: Step) -> bool:
    """Whether something outside is different after the step has run."""
    return step.facts.has_effects or step.facts.keeps_state


def unsafe(stages: tuple[Stage, ...]) -> list[tuple[str, str]]:
    """Every pair of steps that starts in an order which the design forbids (section 2)."""
    found = []
    place = {step.name: at for at, stage in enumerate(stages) for step in stage.steps}
    steps = [step for stage in stages for step in stage.steps]
    for one, other in itertools.permutations(steps, 2):
        is_blind = one.facts.sees is Sees.REDACTED and other.facts.sees is Sees.ORIGINAL
        if is_blind and other.facts.edits and place[other.name] >= place[one.name]:
            found.append((one.name, other.name))
        is_guarded = acts(one) and other.facts.can_block and other.order < one.order
        is_early = place[other.name] >= place[one.name]
        if is_guarded and is_early and not must_redact_first(one, other, steps):
            found.append((one.name, other.name))
    return found


def must_redact_first(one: Step, other: Step, steps: list[Step]) -> bool:
    """Whether the design says two things: what redacts comes first, and what acts comes later.

    It is so where `one` redacts, and `other` reads or is declared after a reader (decisions/016).
    """
    readers = [step.order for step in steps if step.facts.sees is Sees.REDACTED]
    is_editor = one.facts.edits and one.facts.sees is Sees.ORIGINAL
    return is_editor and min(readers, default=other.order + 1) <= other.order


def overtaken(program: Program, stages: tuple[Stage, ...]) -> list[tuple[str, str]]:
    """Every pair of which the first acts and a blocker declared after it does not start behind."""
    groups = {step.order: stage.group for stage in program.stages for step in stage.steps}
    steps = [step for stage in stages for step in stage.steps]
    place = {step.name: at for at, stage in enumerate(stages) for step in stage.steps}
    return [
        (one.name, other.name)
        for one, other in itertools.permutations(steps, 2)
        if acts(one) and other.facts.can_block and one.order < other.order
        if place[other.name] <= place[one.name]
        # Whose order is free still does not change places with others that act.
        if acts(other) or not one.facts.free_order
        if groups[one.order] is None or groups[one.order] != groups[other.order]
        if not must_redact_first(other, one, steps)
    ]


@given(programs())
def test_no_effect_is_overtaken_by_a_blocker_declared_after_it(program: Program) -> None:
    optimized, _ = run(program, RULES)
    for part in PARTS:
        assert overtaken(program, optimized.phase(part)) == []


def test_the_law_of_overtaking_finds_a_lost_effect() -> None:
    effect = step_of(0, Facts(surfaces=frozenset(), has_effects=True))
    blocks = step_of(1, Facts(surfaces=frozenset(), can_block=True))
    free = attrs.evolve(effect, facts=attrs.evolve(effect.facts, free_order=True))
    for first, pairs in ((effect, [("step0", "step1")]), (free, [])):
        swapped = (Stage(steps=(blocks,)), Stage(steps=(first,)))
        assert overtaken(program_of([first, blocks]), swapped) == pairs


def test_an_effect_whose_order_is_free_is_overtaken() -> None:
    effect = step_of(0, Facts(surfaces=frozenset(), has_effects=True, free_order=True))
    blocks = step_of(1, Facts(surfaces=frozenset(), can_block=True))
    optimized, _ = run(program_of([effect, blocks]), RULES)
    assert [step.order for step in optimized.steps] == [1, 0]


@given(programs())
def test_nothing_acts_before_what_may_forbid_it_nor_reads_before_it_is_redacted(
    program: Program,
) -> None:
    optimized, _ = run(program, RULES)
    for part in PARTS:
        assert unsafe(optimized.phase(part)) == []


def test_the_law_of_safe_starts_finds_both() -> None:
    blocks = step_of(0, Facts(surfaces=frozenset(), can_block=True))
    effect = step_of(1, Facts(surfaces=frozenset(), has_effects=True))
    reads = step_of(2, Facts(surfaces=frozenset(), sees=Sees.REDACTED))
    edits = step_of(3, Facts(surfaces=frozenset(), edits=True))
    assert unsafe((Stage(steps=(blocks, effect)),)) == [("step1", "step0")]
    assert unsafe((Stage(steps=(reads,)), Stage(steps=(edits,)))) == [("step2", "step3")]
    assert unsafe(tuple(Stage(steps=(one,)) for one in (blocks, edits, effect, reads))) == []


def drops_conditional(program: Program) -> Program:
    """A planted bug: what is for some requests only is left out as if it were for none."""
    stages = tuple(stage for stage in program.stages if stage.steps[0].when is None)
    return attrs.evolve(program, stages=stages)


def widens(program: Program) -> Program:
    """A planted bug: a step is for all requests."""
    stages = tuple(
        Stage(steps=tuple(attrs.evolve(step, when=None) for step in stage.steps))
        for stage in program.stages
    )
    return attrs.evolve(program, stages=stages)


@pytest.mark.parametrize("rule", [drops_conditional, widens])
def test_a_rule_that_forgets_a_condition_is_named(rule: Callable[[Program], Program]) -> None:
    step = scan_step("one", "a", phase=Phase.INPUT, when="request.stream")
    with pytest.raises(HouseBug, match=f"the rule '{rule.__name__}'"):
        run(program_of([step]), (rule,))


def reorders(program: Program) -> Program:
    """A planted bug: the blockers first, whatever they pass."""
    stages = sorted(program.stages, key=lambda stage: not stage.steps[0].facts.can_block)
    return attrs.evolve(program, stages=tuple(stages))


def loses(program: Program) -> Program:
    """A planted bug: a step is lost."""
    return attrs.evolve(program, stages=program.stages[1:])


def doubles(program: Program) -> Program:
    """A planted bug: a step runs twice."""
    return attrs.evolve(program, stages=(*program.stages, program.stages[0]))


def joins(program: Program) -> Program:
    """A planted bug: an effect starts at once with what may forbid it."""
    return attrs.evolve(program, stages=(Stage(steps=program.steps),))


def alters(program: Program) -> Program:
    """A planted bug: every step waits for ever."""
    longer = Limit(math.inf, origin="planted")
    return attrs.evolve(
        program,
        stages=tuple(
            Stage(steps=tuple(attrs.evolve(step, limit=longer) for step in stage.steps))
            for stage in program.stages
        ),
    )


def renames(program: Program) -> Program:
    """A planted bug: something else than stages is changed."""
    return attrs.evolve(program, name="planted")


def mixes(program: Program) -> Program:
    """A planted bug: a stage of two phases."""
    later = attrs.evolve(program.steps[1], phase=Phase.OUTPUT)
    return attrs.evolve(program, stages=(Stage(steps=(program.steps[0], later)),))


@pytest.mark.parametrize("rule", [reorders, loses, doubles, joins, alters, renames, mixes])
def test_a_rule_that_breaks_a_law_is_named(rule: Callable[[Program], Program]) -> None:
    effect = step_of(0, Facts(surfaces=frozenset(), has_effects=True))
    blocks = step_of(1, Facts(surfaces=frozenset(), can_block=True))
    with pytest.raises(HouseBug, match=f"the rule '{rule.__name__}'"):
        run(program_of([effect, blocks]), (rule,))


def test_rules_that_leave_out_what_must_be_done_are_found() -> None:
    reads = step_of(0, Facts(surfaces=frozenset(), sees=Sees.REDACTED))
    edits = step_of(1, Facts(surfaces=frozenset(), edits=True))
    effect = step_of(2, Facts(surfaces=frozenset(), has_effects=True))
    blocks = step_of(3, Facts(surfaces=frozenset(), can_block=True))
    slow = attrs.evolve(blocks, limit=limit(9.0))
    for program, what in (
        (program_of([reads, edits]), "'step0' read before 'step1'"),
        (program_of([effect, blocks], ["g", "g"]), "'step2' start at once with 'step3'"),
        (program_of([slow]), "'step3' outlast"),
    ):
        with pytest.raises(HouseBug, match=what):
            run(program, (parallel_groups,))
        run(program, RULES)


def unbounded(whole: Plan) -> list[str]:
    """Every limit of a plan that is not finite and positive, or outlasts the one around it."""
    limits = {field.name: getattr(whole.timeouts, field.name) for field in attrs.fields(Timeouts)}
    wrong = [name for name, one in limits.items() if not 0 < one.seconds < math.inf]
    inner = ("queue", "connect", "first_byte", "policy")
    wrong += [name for name in inner if limits[name].seconds > limits["request"].seconds]
    steps = [
        step for phase in (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT) for step in whole.steps(phase)
    ]
    return wrong + [step.name for step in steps if step.limit.seconds > limits["policy"].seconds]


@given(configs().map(to_block))
def test_every_limit_is_finite_and_not_later_than_its_parent(text: str) -> None:
    compiled = compile_source(Source("kt.yaml", text))
    assert unbounded(compiled.plan) == []


@pytest.mark.parametrize("planted", [{"policy": 200.0}, {"idle": math.inf}, {"send": 0.0}])
def test_the_law_of_limits_finds_a_wrong_one(planted: dict[str, float]) -> None:
    whole = attrs.evolve(plan(), timeouts=timeouts(**planted))
    assert unbounded(whole) == list(planted)
    program = attrs.evolve(program_of([]), timeouts=whole.timeouts)
    assert len(list(broken_limits(program))) == 1
