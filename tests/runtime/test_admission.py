"""Slots, the queue in front of them and the bound on buffered bodies."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from kt.errors import GatewayError
from kt.plan import Admission, Count, Sizes
from kt.runtime.admission import BODIES_AT_ONCE, Gate
from tests.support.plans import timeouts


def gate(slots: int = 1, queue: int = 1) -> Gate:
    """A gate with a queue timeout of 30 seconds and bodies of at most 10 bytes."""
    count = Count(10, origin="test")
    return Gate(
        Admission(max_concurrent=Count(slots, origin="t"), max_queue=Count(queue, origin="t")),
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


async def _hold(busy: Gate) -> None:
    async with busy.slot():
        await trio.sleep_forever()
