"""No schedule of delays takes longer than the bound says, and one takes exactly as long."""

import itertools
from collections.abc import Awaitable

import attrs
import httpx
import orjson
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from kt.exchange import Segment, Surface
from kt.explain.bounds import bounds, phase_bound, stage_bound
from kt.patterns.scanner import IsOver
from kt.plan import Plan, Stage, Step
from kt.policy import ALLOW, Cost, Phase, Verdict
from kt.runtime.engine import BoundStep, PolicyBudget, judge
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step, target
from tests.support.upstreams import Body, FakeProvider, completion

Delays = dict[str, float]


def waiting(name: str, seconds: float, order: int) -> Step:
    """A step that waits for the network."""
    step = scan_step(name, "a", phase=Phase.INPUT, seconds=seconds, order=order)
    return attrs.evolve(step, facts=attrs.evolve(step.facts, cost=Cost.NETWORK))


@st.composite
def stages(draw: st.DrawFn) -> tuple[Stage, ...]:
    """A few stages of steps that wait, with limits of their own."""
    limits = st.sampled_from([0.1, 0.5, 0.7, 2.0])
    sizes = draw(st.lists(st.integers(1, 3), max_size=3))
    names = iter(range(100))
    return tuple(
        Stage(
            steps=tuple(waiting(f"p{at}", draw(limits), at) for at in itertools.islice(names, size))
        )
        for size in sizes
    )


def elapsed(found: tuple[Stage, ...], whole: Plan, delays: Delays) -> float:
    """How long a phase takes in which each step wants that long."""

    def bound(step: Step) -> BoundStep:
        async def later() -> Verdict:
            await trio.sleep(delays[step.name])
            return ALLOW

        def check(segments: tuple[Segment, ...], is_over: IsOver) -> Awaitable[Verdict]:
            return later()

        return BoundStep(step, check)

    async def main() -> float:
        started = trio.current_time()
        budget = PolicyBudget(whole.timeouts.policy.seconds, trio.CapacityLimiter(1))
        run = tuple(tuple(bound(step) for step in stage.steps) for stage in found)
        await judge(run, (Segment(Surface.USER, "b", ()),), budget)
        return trio.current_time() - started

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def check_law(found: tuple[Stage, ...], delays: Delays, bound: float) -> None:
    """Some schedule is within the bound, and the one that never answers reaches it."""
    assert elapsed(found, plan(), delays) <= bound + 1e-6
    forever = dict.fromkeys(delays, 1e6)
    assert elapsed(found, plan(), forever) == pytest.approx(bound)


@given(stages(), st.data())
def test_no_delays_of_policies_exceed_the_bound(
    found: tuple[Stage, ...], data: st.DataObject
) -> None:
    names = [step.name for stage in found for step in stage.steps]
    times = st.sampled_from([0.0, 0.05, 0.3, 0.6, 1.9, 99.0])
    check_law(found, {name: data.draw(times) for name in names}, phase_bound(found, plan()))


def test_the_law_finds_a_bound_that_is_too_short_or_too_long() -> None:
    """Planted: members counted as if one waited for the other, or the slowest left out."""
    (stage,) = found = (Stage(steps=(waiting("a", 0.5, 0), waiting("b", 0.7, 1))),)
    for wrong in (0.5, 0.5 + 0.7):
        with pytest.raises(AssertionError):
            check_law(found, {"a": 9.0, "b": 9.0}, wrong)
    check_law(found, {"a": 9.0, "b": 9.0}, stage_bound(stage))


def answered_after(whole: Plan, provider: FakeProvider) -> float:
    """How long a request takes until its answer is complete."""
    took: list[float] = []

    async def main() -> None:
        async with gateway(whole, provider) as app:
            started = trio.current_time()
            await chat(app, "hello")
            took.append(trio.current_time() - started)

    run_in_virtual_time(main)
    return took[0]


TARGETS = (target("a", "http://127.0.0.1:1"), target("b", "http://127.0.0.1:2"))
DELAYS = st.sampled_from([0.0, 1.0, 4.9, 29.0, 31.0, 1000.0])


@given(DELAYS, DELAYS, DELAYS, st.booleans())
def test_no_provider_delays_an_answer_beyond_its_bound(
    connect: float, head: float, pause: float, stalls: bool
) -> None:
    whole = plan(targets=TARGETS, request=60.0)
    most = {one.name: one.seconds for one in bounds(whole)}

    def answer(_: httpx.Request) -> httpx.Response:
        data = orjson.dumps(completion("fine"))
        body = Body([data[:9], data[9:]], pause=pause, stalls=stalls)
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=body)

    provider = FakeProvider(answer, connect_seconds=connect, head_seconds=head)
    took = answered_after(whole, provider)
    assert took <= (most["total, whole"] or 0) + 1e-6
    if not provider.bodies:
        assert took <= (most["provider's head"] or 0) + 1e-6


def test_one_provider_takes_exactly_the_bound() -> None:
    whole = plan(targets=TARGETS, request=60.0)

    def dripping(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Body([b" "] * 100, pause=5.0))

    assert answered_after(whole, FakeProvider(dripping)) == pytest.approx(60.0)
