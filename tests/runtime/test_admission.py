"""Slots, the queue in front of them and the bound on buffered bodies."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from kt.errors import GatewayError
from kt.plan import Admission, Count, Sizes, Timeouts
from kt.runtime.admission import BODIES_AT_ONCE, Gate
from tests.support.plans import timeouts


def gate(
    slots: int = 1, queue: int = 1, per_user: int | None = None, per_team: int | None = None
) -> Gate:
    """A gate with these limits."""
    return Gate(*limits(slots, queue, per_user, per_team))


def limits(
    slots: int = 1, queue: int = 1, per_user: int | None = None, per_team: int | None = None
) -> tuple[Admission, Timeouts, Sizes]:
    """A queue timeout of 30 seconds, bodies of at most 10 bytes, and these."""
    count = Count(10, origin="test")
    return (
        Admission(
            max_concurrent=Count(slots, origin="t"),
            max_queue=Count(queue, origin="t"),
            per_user=None if per_user is None else Count(per_user, origin="t"),
            per_team=None if per_team is None else Count(per_team, origin="t"),
        ),
        timeouts(),
        Sizes(request_body=count, response_body=count, stream_hold=count),
    )


def run(main: object) -> None:
    """Run an async test in virtual time."""
    trio.run(main, clock=MockClock(autojump_threshold=0))  # type: ignore[arg-type]


def test_a_full_queue_refuses_at_once() -> None:
    async def main() -> None:
        full = gate(slots=1, queue=1)
        async with full.slot(), trio.open_nursery() as nursery:
            nursery.start_soon(_hold, full)
            await wait_all_tasks_blocked()
            with pytest.raises(GatewayError) as refusal:
                async with full.slot():
                    pass
            assert refusal.value.code == "queue_full"
            assert trio.current_time() == started
            nursery.cancel_scope.cancel()

    started = 0.0

    async def timed() -> None:
        nonlocal started
        started = trio.current_time()
        await main()

    run(timed)


def test_a_wait_ends_after_the_queue_timeout() -> None:
    async def main() -> None:
        full = gate()
        async with full.slot():
            started = trio.current_time()
            with pytest.raises(GatewayError) as refusal:
                async with full.slot():
                    pass
            assert refusal.value.code == "queue_timeout"
            assert trio.current_time() - started == pytest.approx(30)
            assert (full.running, full.waiting) == (1, 0)

    run(main)


def test_slots_are_conserved_when_waiters_and_holders_are_cancelled() -> None:
    async def main() -> None:
        busy = gate(slots=3, queue=100)
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(_hold, busy)
            await wait_all_tasks_blocked()
            assert (busy.running, busy.waiting) == (3, 7)
            nursery.cancel_scope.cancel()
        assert (busy.running, busy.waiting) == (0, 0)

    run(main)


def test_buffered_bodies_are_bounded_and_given_back() -> None:
    busy = gate()
    room = 10 * BODIES_AT_ONCE
    with busy.buffer() as first:
        first.grow(room)
        with busy.buffer() as second, pytest.raises(GatewayError) as refusal:
            second.grow(1)
        assert refusal.value.code == "queue_full"
    with busy.buffer() as third:
        third.grow(room)


@pytest.mark.parametrize(
    ("who", "code"), [({"user": "ann"}, "user_limit"), ({"team": "red"}, "team_limit")]
)
def test_one_name_has_its_limit_and_as_many_waiting(who: dict[str, str], code: str) -> None:
    async def main() -> None:
        busy = gate(slots=10, queue=10, per_user=1, per_team=1)
        async with busy.slot(**who), trio.open_nursery() as nursery:
            nursery.start_soon(partial(_hold, busy, **who))
            await wait_all_tasks_blocked()
            with pytest.raises(GatewayError) as refusal:
                async with busy.slot(**who):
                    pass
            assert (refusal.value.code, trio.current_time()) == (code, started)
            async with busy.slot("bob", "blue"), busy.slot(), busy.slot():
                assert (busy.running, busy.waiting) == (4, 1)
            nursery.cancel_scope.cancel()
        assert (busy.running, busy.waiting, busy.tracked) == (0, 0, 0)

    started = 0.0

    async def timed() -> None:
        nonlocal started
        started = trio.current_time()
        await main()

    run(timed)


def test_who_waits_for_its_own_limit_is_told_so() -> None:
    async def main() -> None:
        busy = gate(slots=2, queue=2, per_user=1)
        async with busy.slot("ann"):
            with pytest.raises(GatewayError) as refusal:
                async with busy.slot("ann"):
                    pass
            assert refusal.value.code == "user_limit"

    run(main)


def test_a_full_queue_tells_a_user_of_its_own_limit_first() -> None:
    async def main() -> None:
        busy = gate(slots=2, queue=0, per_user=1)
        async with busy.slot("ann"):
            with pytest.raises(GatewayError) as refusal:
                async with busy.slot("ann"):
                    pass
            assert refusal.value.code == "user_limit"

    run(main)


def test_who_waits_for_its_user_keeps_no_slot_from_others() -> None:
    async def main() -> None:
        busy = gate(slots=2, queue=2, per_user=1)
        async with busy.slot("ann"), trio.open_nursery() as nursery:
            nursery.start_soon(_hold, busy, "ann")
            await wait_all_tasks_blocked()
            async with busy.slot("bob"):
                assert (busy.running, busy.waiting) == (2, 1)
            nursery.cancel_scope.cancel()

    run(main)


def test_a_slot_that_comes_together_with_the_cancellation_is_not_lost() -> None:
    async def main() -> None:
        busy = gate(slots=1, queue=1)
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as first:
                async with busy.slot():
                    nursery.start_soon(_hold, busy)
                    await wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            assert not first.cancelled_caught
            assert busy.running == 1, "the waiter has been called, and does not know it yet"
        assert (busy.running, busy.waiting) == (0, 0)

    run(main)


async def _hold(busy: Gate, user: str | None = None, team: str | None = None) -> None:
    async with busy.slot(user, team):
        await trio.sleep_forever()


def test_other_limits_hold_for_who_comes_and_call_who_can_run_now() -> None:
    async def main() -> None:
        busy = gate(slots=1, queue=10)
        async with trio.open_nursery() as nursery:
            for user in ("ann", "ann", "bob", "bob"):
                nursery.start_soon(partial(_hold, busy, user=user))
            await wait_all_tasks_blocked()
            assert (busy.running, busy.waiting) == (1, 3)
            busy.follow(*limits(slots=4, per_user=1))
            await wait_all_tasks_blocked()
            assert (busy.running, busy.waiting) == (2, 2), "one of each user"
            busy.follow(*limits(slots=1))
            assert (busy.running, busy.waiting) == (2, 2), "who runs goes on"
            busy.follow(*limits(slots=10))
            await wait_all_tasks_blocked()
            assert (busy.running, busy.waiting) == (4, 0)
            nursery.cancel_scope.cancel()
        assert (busy.running, busy.waiting, busy.tracked) == (0, 0, 0)

    run(main)
