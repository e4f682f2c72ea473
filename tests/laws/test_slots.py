"""The law of slots: none is lost and none is lent twice, whatever requests do and whenever.

Requests of few users and teams come, end, fail, leave and run out of time in any order. At every
quiet moment the gate holds exactly what its model holds; who waits holds nothing, and nobody waits
who could run; at the end nothing and nobody is remembered.
"""

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from kt.errors import GatewayError
from kt.plan import Admission, Count, Sizes
from kt.runtime.admission import Gate
from tests.support.gateways import run_in_virtual_time
from tests.support.plans import timeouts

QUEUE_SECONDS = 5.0
NAMES = st.sampled_from([None, "a", "b"])


@attrs.define(eq=False)
class Asker:
    """One request: who it is from, what it wants, and what became of it."""

    user: str | None
    team: str | None
    number: int
    over: trio.Event = attrs.field(factory=trio.Event)
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    state: str = "waits"
    granted: int = -1

    async def run(self, gate: Gate, order: list["Asker"]) -> None:
        """Ask for a slot and keep it until told to end."""
        with self.scope:
            try:
                async with gate.slot(self.user, self.team):
                    self.state = "runs"
                    order.append(self)
                    await self.over.wait()
            except GatewayError as error:
                self.state = error.code
                return
        self.state = "ended"


Step = tuple[str, str | None, str | None, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), NAMES, NAMES, st.just(0)),
        st.tuples(
            st.sampled_from(["end", "cancel", "end+cancel"]),
            st.none(),
            st.none(),
            st.integers(0, 9),
        ),
        st.tuples(st.just("pause"), st.none(), st.none(), st.integers(1, 6)),
    ),
    max_size=40,
)


def limited(slots: int, queue: int, per_user: int | None, per_team: int | None) -> Gate:
    """A gate with these limits."""

    def count(value: int) -> Count:
        return Count(value, origin="test")

    return Gate(
        Admission(
            max_concurrent=count(slots),
            max_queue=count(queue),
            per_user=None if per_user is None else count(per_user),
            per_team=None if per_team is None else count(per_team),
        ),
        timeouts(queue=QUEUE_SECONDS),
        Sizes(request_body=count(1), response_body=count(1), stream_hold=count(1)),
    )


def check(gate: Gate, askers: list[Asker], limits: tuple[int, int, int | None, int | None]) -> None:
    """Hold a gate against what its requests say of themselves."""
    slots, queue, per_user, per_team = limits
    running = [one for one in askers if one.state == "runs"]
    waiting = [one for one in askers if one.state == "waits"]
    assert (gate.running, gate.waiting) == (len(running), len(waiting))
    assert len(running) <= slots
    assert len(waiting) <= queue

    def full(name: str, limit: int | None, asker: Asker) -> bool:
        value = getattr(asker, name)
        same = [one for one in running if getattr(one, name) == value]
        return limit is not None and value is not None and len(same) >= limit

    for one in running:
        for name, limit in (("user", per_user), ("team", per_team)):
            value = getattr(one, name)
            same = [other for other in running if getattr(other, name) == value]
            assert limit is None or value is None or len(same) <= limit
    for one in waiting:
        is_held = full("user", per_user, one) or full("team", per_team, one)
        assert len(running) >= slots or is_held, "it could run"
    names = {
        (kind, getattr(one, kind))
        for kind in ("user", "team")
        for one in (*running, *waiting)
        if getattr(one, kind) is not None
    }
    assert gate.tracked == len(names)


async def act(step: Step, askers: list[Asker], begin: object) -> None:
    """Do one thing."""
    what, user, team, number = step
    alive = [one for one in askers if one.state in ("runs", "waits")]
    if what == "ask":
        begin(Asker(user, team, len(askers)))  # type: ignore[operator]
    elif what == "pause":
        await trio.sleep(number)
    elif alive:
        chosen = alive[number % len(alive)]
        if "end" in what:
            chosen.over.set()
        if what == "cancel":
            chosen.scope.cancel()
        if what == "end+cancel":
            # One gives its slot back in the moment in which another stops waiting for it.
            alive[-1].scope.cancel()


def law(steps: list[Step], limits: tuple[int, int, int | None, int | None], gate: Gate) -> None:
    """Run the steps and check after each."""

    async def main() -> None:
        askers: list[Asker] = []
        order: list[Asker] = []
        async with trio.open_nursery() as nursery:

            def begin(asker: Asker) -> None:
                askers.append(asker)
                nursery.start_soon(asker.run, gate, order)

            for step in steps:
                await act(step, askers, begin)
                await wait_all_tasks_blocked()
                check(gate, askers, limits)
            nursery.cancel_scope.cancel()
        assert (gate.running, gate.waiting, gate.tracked) == (0, 0, 0)
        for key in {(one.user, one.team) for one in order}:
            numbers = [one.number for one in order if (one.user, one.team) == key]
            assert numbers == sorted(numbers), "the first of equals runs first"

    run_in_virtual_time(main)


LIMITS = st.tuples(
    st.integers(1, 3),
    st.integers(0, 4),
    st.none() | st.integers(1, 2),
    st.none() | st.integers(1, 2),
)


@given(steps=STEPS, limits=LIMITS)
def test_slots_are_conserved(
    steps: list[Step], limits: tuple[int, int, int | None, int | None]
) -> None:
    law(steps, limits, limited(*limits))


class Forgetful(Gate):
    """Planted: who was called in the moment of its cancellation keeps its slot for ever."""

    def _withdraw(self, waiter: object) -> None:
        if not waiter.called.is_set():  # type: ignore[attr-defined]
            self._leave_queue(waiter)  # type: ignore[arg-type]


class Greedy(Gate):
    """Planted: a place that is free is not given to who waits for it."""

    def _call_next(self) -> None:
        pass


RACE: list[Step] = [
    ("ask", None, None, 0),
    ("ask", None, None, 0),
    ("end+cancel", None, None, 0),
]
"""Which of the two runs first is chance, so a test repeats it."""


@pytest.mark.parametrize("planted", [Forgetful, Greedy])
def test_the_law_finds_a_gate_that_loses_slots(planted: type[Gate]) -> None:
    limits = (1, 4, None, None)
    steps = [*RACE * 20, *RACE[:2], ("end", None, None, 0)]
    law(steps, limits, limited(*limits))
    broken = limited(*limits)
    broken.__class__ = planted
    with pytest.raises((AssertionError, ExceptionGroup)):
        law(steps, limits, broken)
