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
from kt.compiler.optimizer.commute import may_swap
from kt.compiler.optimizer.run import broken_limits, run
from kt.compiler.program import Program
from kt.errors import HouseBug
from kt.plan import Limit, Plan, Step, Timeouts
from kt.policy import Facts, Phase, Sees
from kt.source import Source
from tests.support.config_strategies import configs, to_block
from tests.support.plans import plan, scan_step, timeouts

FACTS = st.builds(
    Facts,
    surfaces=st.just(frozenset()),
    can_block=st.booleans(),
    edits=st.booleans(),
    has_effects=st.booleans(),
    keeps_state=st.booleans(),
    sees=st.sampled_from(Sees),
)


def program_of(steps: list[Step]) -> Program:
    """A program of some steps, everything else as small as can be."""
    whole = plan()
    return Program(
        name="test",
        version="1.0.0",
        enabled=True,
        steps=tuple(steps),
        targets=(),
        listen_port=1,
        timeouts=whole.timeouts,
        admission=whole.admission,
        sizes=whole.sizes,
        keep_answer_whole=False,
        server_timing=True,
    )


def step_of(order: int, facts: Facts, phase: Phase = Phase.INPUT) -> Step:
    """A step with these facts."""
    step = scan_step(f"step{order}", "a", phase=phase, order=order)
    return attrs.evolve(step, facts=facts)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Programs of up to eight steps with any facts, in any phase."""
    facts = draw(st.lists(FACTS, max_size=8))
    phases = st.sampled_from([Phase.INPUT, Phase.OUTPUT, Phase.AUDIT])
    return program_of([step_of(order, one, draw(phases)) for order, one in enumerate(facts)])


def outcome(steps: tuple[Step, ...], blocking: frozenset[str]) -> tuple[bool, frozenset[str]]:
    """What a phase comes to, one step at a time: whether it blocks, and which effects happened.

    A step that acts runs only if no step before it blocked (design section 2).
    """
    acted = {
        step.name
        for at, step in enumerate(steps)
        if (step.facts.has_effects or step.facts.keeps_state)
        and not any(one.facts.can_block and one.name in blocking for one in steps[:at])
    }
    blocks = any(step.facts.can_block and step.name in blocking for step in steps)
    return blocks, frozenset(acted)


@given(programs())
def test_optimizing_keeps_the_steps_and_swaps_only_what_may(program: Program) -> None:
    optimized, _ = run(program, RULES)
    for phase in Phase:
        before, after = program.phase(phase), optimized.phase(phase)
        assert sorted(step.order for step in before) == sorted(step.order for step in after)
        place = {step.name: at for at, step in enumerate(after)}
        for earlier, later in itertools.combinations(before, 2):
            assert place[earlier.name] < place[later.name] or may_swap(earlier, later)


@given(programs())
def test_optimizing_twice_changes_nothing_more(program: Program) -> None:
    once, _ = run(program, RULES)
    twice, trace = run(once, RULES)
    assert trace == ()
    assert [step.because for step in twice.steps] == [step.because for step in once.steps]
    assert run(program, RULES) == run(program, RULES)


def changed_outcomes(before: tuple[Step, ...], after: tuple[Step, ...]) -> list[frozenset[str]]:
    """Every set of steps that, all finding something, come to something else in the new order.

    In the new order more effects than declared would be wrong; fewer only where it blocks.
    """
    names = [step.name for step in before]
    found = itertools.chain.from_iterable(
        itertools.combinations(names, size) for size in range(len(names) + 1)
    )
    return [
        blocking
        for blocking in map(frozenset, found)
        if outcome(before, blocking) != outcome(after, blocking)
    ]


@given(st.lists(FACTS, max_size=6))
def test_optimizing_never_changes_the_decision_or_the_effects(facts: list[Facts]) -> None:
    program = program_of([step_of(order, one) for order, one in enumerate(facts)])
    optimized, _ = run(program, RULES)
    assert changed_outcomes(program.steps, optimized.steps) == []


def test_the_law_of_effects_finds_a_blocker_moved_over_one() -> None:
    acts = step_of(0, Facts(surfaces=frozenset(), has_effects=True))
    blocks = step_of(1, Facts(surfaces=frozenset(), can_block=True))
    assert changed_outcomes((acts, blocks), (blocks, acts))[0] == frozenset({"step1"})


def reorders(program: Program) -> Program:
    """A planted bug: the blockers first, whatever they pass."""
    steps = sorted(program.steps, key=lambda step: not step.facts.can_block)
    return attrs.evolve(program, steps=tuple(steps))


def loses(program: Program) -> Program:
    """A planted bug: a step is lost."""
    return attrs.evolve(program, steps=program.steps[1:])


def alters(program: Program) -> Program:
    """A planted bug: a step waits for ever."""
    limit = Limit(math.inf, origin="planted")
    return attrs.evolve(program, steps=tuple(attrs.evolve(s, limit=limit) for s in program.steps))


def renames(program: Program) -> Program:
    """A planted bug: something else than steps is changed."""
    return attrs.evolve(program, name="planted")


@pytest.mark.parametrize("rule", [reorders, loses, alters, renames])
def test_a_rule_that_breaks_a_law_is_named(rule: Callable[[Program], Program]) -> None:
    acts = step_of(0, Facts(surfaces=frozenset(), has_effects=True))
    blocks = step_of(1, Facts(surfaces=frozenset(), can_block=True))
    with pytest.raises(HouseBug, match=f"the rule '{rule.__name__}'"):
        run(program_of([acts, blocks]), (rule,))


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
