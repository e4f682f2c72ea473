"""Law: what was measured orders checks so that requests cost least, and changes nothing else."""

import itertools
import math
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler.optimizer import RULES
from kt.compiler.optimizer.cheapest_first import price
from kt.compiler.optimizer.run import Rule, run
from kt.compiler.profile import Measured, Profile
from kt.compiler.program import Program
from kt.errors import HouseBug
from kt.plan import Step
from kt.policy import Cost, Facts, Outcome, Phase
from tests.laws.test_stages_equal_naive import check_law, member, optimized
from tests.support.plans import scan_step
from tests.support.programs import program_of

SECONDS = {Cost.INLINE: 0.0005, Cost.THREAD: 0.005, Cost.NETWORK: 0.3}
"""What docs/explain.md says that a check takes where nothing was measured."""


@attrs.frozen(kw_only=True)
class Check:
    """A check that reads the original text: its class, and what was measured of it."""

    cost: Cost
    can_block: bool = True
    measured: tuple[int, int, float] | None = None
    """Runs, blocks, and the seconds of all runs."""

    @property
    def seconds(self) -> float:
        """What a run of it takes."""
        return self.measured[2] / self.measured[0] if self.measured else SECONDS[self.cost]

    @property
    def rate(self) -> float:
        """How likely a run of it blocks: what was never seen still counts once."""
        if not self.can_block:
            return 0.0
        return (self.measured[1] + 1) / (self.measured[0] + 2) if self.measured else 0.01


def program_for(checks: Sequence[Check]) -> Program:
    """A program of checks that may all change places, and its profile."""
    steps: list[Step] = []
    rows = []
    for order, check in enumerate(checks):
        facts = Facts(surfaces=frozenset(), can_block=check.can_block, cost=check.cost)
        step = scan_step(f"step{order}", "a", phase=Phase.INPUT, order=order)
        steps.append(attrs.evolve(step, facts=facts))
        if check.measured:
            runs, blocks, seconds = check.measured
            rows.append(Measured(step.name, "input", runs, blocks, round(seconds * 1e6)))
    return attrs.evolve(program_of(steps), profile=Profile(tuple(rows)))


def expected(checks: Sequence[Check]) -> float:
    """The mean seconds of a request that goes through checks until one of them blocks."""
    seconds, passing = 0.0, 1.0
    for check in checks:
        seconds += passing * check.seconds
        passing *= 1 - check.rate
    return seconds


def check_order(checks: Sequence[Check]) -> None:
    """No other order of the checks costs less than the plan's."""
    arranged, _ = run(program_for(checks), RULES)
    found = expected([checks[step.order] for step in arranged.steps])
    least = min(map(expected, itertools.permutations(checks)))
    assert found <= least or math.isclose(found, least)


@st.composite
def measurements(draw: st.DrawFn) -> tuple[int, int, float]:
    """Runs, how many of them blocked, and microseconds as seconds."""
    runs = draw(st.integers(1, 1000))
    return runs, draw(st.integers(0, runs)), draw(st.integers(1, 10**7)) / 1e6


checks_of = st.builds(
    Check,
    cost=st.sampled_from(Cost),
    can_block=st.booleans(),
    measured=st.none() | measurements(),
)
MIXED = (
    Check(cost=Cost.INLINE, measured=(100, 1, 0.01)),
    Check(cost=Cost.INLINE),
    Check(cost=Cost.NETWORK, measured=(100, 50, 0.001)),
)
"""One that was never measured between two that were."""


@given(st.lists(checks_of, max_size=5))
def test_no_other_order_costs_less(checks: list[Check]) -> None:
    check_order(checks)


def test_the_law_of_costs_finds_a_wrong_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what was measured is taken in milliseconds, what was estimated in seconds."""
    check_order(MIXED)
    monkeypatch.setattr(Measured, "cost", property(lambda row: row.microseconds / row.runs / 1e3))
    with pytest.raises(AssertionError):
        check_order(MIXED)


def test_the_law_of_costs_finds_a_rate_that_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: who never blocked and who always did are the same."""
    monkeypatch.setattr(Measured, "block_rate", 0.5)
    checks = (
        Check(cost=Cost.INLINE, measured=(100, 0, 0.01)),
        Check(cost=Cost.INLINE, measured=(100, 100, 0.02)),
    )
    with pytest.raises(AssertionError):
        check_order(checks)


def cheapest_of_all(program: Program) -> Program:
    """A planted bug: the cheapest first, whatever they pass."""

    def worth(at: int) -> float:
        return price(program.stages[at], program.profile)

    places = sorted(range(len(program.stages)), key=worth)
    return attrs.evolve(program, stages=tuple(program.stages[at] for at in places))


def test_a_profile_that_moves_what_must_stay_is_found() -> None:
    """Planted: what was measured is obeyed where the order is part of the meaning."""
    webhook = scan_step("webhook", "a", phase=Phase.INPUT, order=0)
    webhook = attrs.evolve(webhook, facts=Facts(surfaces=frozenset(), has_effects=True))
    words = scan_step("words", "b", phase=Phase.INPUT, order=1)
    words = attrs.evolve(words, facts=Facts(surfaces=frozenset(), can_block=True))
    program = program_of([webhook, words])
    assert run(program, RULES)[0].stages == program.stages
    with pytest.raises(HouseBug, match="'cheapest_of_all' moved 'words' before 'webhook'"):
        run(program, (cheapest_of_all,))


@pytest.mark.parametrize(
    "planted",
    [cheapest_of_all, lambda program: attrs.evolve(program, stages=program.stages[::-1])],
)
def test_the_naive_order_finds_what_the_laws_of_the_optimizer_find(planted: Rule) -> None:
    """Planted: the same without the optimizer's own laws; who runs the plan sees a lost effect."""
    found = tuple(
        attrs.evolve(one, group=None)
        for one in (member(0, Outcome.FLAG, acts=True), member(1, Outcome.BLOCK))
    )
    check_law(found, optimized(found))
    with pytest.raises(AssertionError):
        check_law(found, optimized(found, (*RULES, planted)))
