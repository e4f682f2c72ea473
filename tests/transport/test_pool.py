"""The pool: places are conserved, turns are fair, and nothing old or broken is handed out."""

import math
from typing import cast

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from kt.transport.messages import Header, RequestHead
from kt.transport.pool import Member, Pool, PoolCounts, PoolLimits, Total, reap
from tests.support.gateways import run_in_virtual_time


@attrs.define(eq=False)
class FakeConnection:
    """A connection as the pool sees it; it keeps an eye on the pool."""

    capacity: int = 1
    is_usable: bool = True
    is_closed: bool = False
    under_way: int = 0

    @property
    def is_shared(self) -> bool:
        """Whether it has room for several."""
        return self.capacity > 1

    def is_alive(self) -> bool:
        """Whether its peer is still there."""
        return not self.is_closed

    async def send(self, request: RequestHead, more: tuple[Header, ...], body: bytes) -> object:
        """Not in these tests."""
        raise NotImplementedError

    def close(self) -> None:
        """Close."""
        self.is_closed, self.is_usable = True, False


def fake(member: Member) -> FakeConnection:
    """A member's connection, as what it is."""
    return cast("FakeConnection", member.connection)


def limits(**values: float) -> PoolLimits:
    """Limits of a pool, some replaced."""
    defaults = {"max_connections": 2, "max_idle": 2, "idle": 90.0}
    return PoolLimits(**{**defaults, **values})  # type: ignore[arg-type]


async def borrow(pool: Pool, capacity: int = 1) -> Member:
    """A connection, opened at once where it is our turn to open one."""
    member = await pool.acquire()
    return pool.connected(FakeConnection(capacity)) if member is None else member  # type: ignore[arg-type]


def test_the_connection_used_last_is_used_next() -> None:
    async def main() -> None:
        pool = Pool(limits(), Total())
        first, second = await borrow(pool), await borrow(pool)
        pool.release(first)
        pool.release(second)
        assert await borrow(pool) is second
        assert pool.counts == PoolCounts(connecting=0, idle=1, in_use=1, waiting=0)

    run_in_virtual_time(main)


def test_waiters_are_served_in_their_order_and_nobody_overtakes_them() -> None:
    async def main() -> None:
        pool = Pool(limits(max_connections=1), Total())
        served: list[int] = []

        async def wait(number: int) -> None:
            member = await borrow(pool)
            served.append(number)
            await trio.sleep(1)
            pool.release(member)

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(wait, number)
                await wait_all_tasks_blocked()
        assert served == [0, 1, 2, 3, 4]

    run_in_virtual_time(main)


def test_the_place_of_a_connection_that_failed_goes_to_the_next() -> None:
    async def main() -> None:
        pool = Pool(limits(max_connections=1), Total())
        assert await pool.acquire() is None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(borrow, pool)
            await wait_all_tasks_blocked()
            assert pool.counts == PoolCounts(connecting=1, idle=0, in_use=0, waiting=1)
            pool.failed()
        assert pool.counts == PoolCounts(connecting=0, idle=0, in_use=1, waiting=0)

    run_in_virtual_time(main)


def test_what_is_idle_for_too_long_or_too_old_is_not_handed_out() -> None:
    async def main() -> None:
        for chosen in (limits(idle=10.0), limits(lifetime=10.0)):
            pool = Pool(chosen, Total())
            old = await borrow(pool)
            pool.release(old)
            await trio.sleep(10)
            fresh = await borrow(pool)
            assert fresh is not old
            assert (old.connection.is_usable, pool.counts.in_use) == (False, 1)

    run_in_virtual_time(main)


def test_a_connection_that_grows_old_in_use_is_closed_when_it_comes_back() -> None:
    async def main() -> None:
        pool = Pool(limits(lifetime=10.0), Total())
        member = await borrow(pool)
        await trio.sleep(11)
        assert member.connection.is_usable
        pool.release(member)
        assert pool.counts == PoolCounts(0, 0, 0, 0)

    run_in_virtual_time(main)


def test_one_task_closes_what_nobody_asks_for() -> None:
    async def main() -> None:
        total = Total()
        pool = Pool(limits(idle=10.0), total)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reap, total)
            pool.release(await borrow(pool))
            await trio.sleep(9)
            assert pool.counts.idle == 1
            await trio.sleep(3)
            assert pool.counts.idle == 0
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)


def test_a_dead_connection_is_not_handed_out() -> None:
    async def main() -> None:
        pool = Pool(limits(), Total())
        member = await borrow(pool)
        pool.release(member)
        member.connection.close()
        assert await borrow(pool) is not member
        assert pool.counts == PoolCounts(connecting=0, idle=0, in_use=1, waiting=0)

    run_in_virtual_time(main)


def test_no_more_than_max_idle_are_kept() -> None:
    async def main() -> None:
        pool = Pool(limits(max_idle=1), Total())
        members = [await borrow(pool), await borrow(pool)]
        for member in members:
            pool.release(member)
        assert pool.counts == PoolCounts(connecting=0, idle=1, in_use=0, waiting=0)

    run_in_virtual_time(main)


def test_a_target_that_needs_a_place_takes_that_of_the_longest_idle_connection() -> None:
    async def main() -> None:
        total = Total(2)
        pools = [Pool(limits(), total) for _ in range(3)]
        idle = [await borrow(pools[0]), await borrow(pools[1])]
        pools[1].release(idle[1])
        await trio.sleep(1)
        pools[0].release(idle[0])
        await borrow(pools[2])
        assert [one.connection.is_usable for one in idle] == [True, False]

    run_in_virtual_time(main)


def test_a_target_that_waits_for_a_place_gets_the_next_one_of_another() -> None:
    async def main() -> None:
        total = Total(1)
        one, other = Pool(limits(), total), Pool(limits(), total)
        member = await borrow(one)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(borrow, other)
            await wait_all_tasks_blocked()
            assert other.counts.waiting == 1
            one.release(member)
        assert (one.counts.idle, other.counts.in_use) == (0, 1)

    run_in_virtual_time(main)


def test_a_shared_connection_takes_as_many_as_it_can_and_only_one_is_opened() -> None:
    async def main() -> None:
        pool = Pool(limits(), Total(), is_shared=True)
        got: list[Member] = []

        async def take() -> None:
            got.append(await borrow(pool, capacity=3))

        assert await pool.acquire() is None
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(take)
            await wait_all_tasks_blocked()
            assert pool.counts == PoolCounts(connecting=1, idle=0, in_use=0, waiting=3)
            first = pool.connected(FakeConnection(3))  # type: ignore[arg-type]
        assert sorted(one is first for one in got) == [False, True, True]
        assert pool.counts == PoolCounts(connecting=0, idle=0, in_use=2, waiting=0)

    run_in_virtual_time(main)


def test_a_peer_that_shares_nothing_is_asked_for_a_connection_each() -> None:
    async def main() -> None:
        pool = Pool(limits(), Total(), is_shared=True)
        assert await pool.acquire() is None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(borrow, pool)
            await wait_all_tasks_blocked()
            pool.connected(FakeConnection())  # type: ignore[arg-type]
        assert pool.counts.in_use == 2

    run_in_virtual_time(main)


def test_a_shared_connection_that_takes_no_more_is_closed_with_its_last_exchange() -> None:
    async def main() -> None:
        pool = Pool(limits(), Total(), is_shared=True)
        member = await borrow(pool, capacity=2)
        assert await pool.acquire() is member
        connection = fake(member)
        connection.is_usable = False
        closed = []
        for _ in range(2):
            pool.release(member)
            closed.append(connection.is_closed)
        assert closed == [False, True]
        assert pool.counts == PoolCounts(0, 0, 0, 0)

    run_in_virtual_time(main)


def test_the_place_of_a_broken_connection_can_be_kept() -> None:
    async def main() -> None:
        pool = Pool(limits(max_connections=1), Total(1))
        member = await borrow(pool)
        assert pool.renew(member)
        assert pool.counts == PoolCounts(connecting=1, idle=0, in_use=0, waiting=0)
        pool.connected(FakeConnection())  # type: ignore[arg-type]
        assert pool.counts == PoolCounts(connecting=0, idle=0, in_use=1, waiting=0)

    run_in_virtual_time(main)


# ---- Law: places are conserved


@attrs.frozen
class Visit:
    """One request: when it comes, to which target, and what becomes of it."""

    target: int
    comes: float
    connects: float
    is_refused: bool
    holds: float
    breaks: bool
    leaves: float
    """When it is cancelled; infinity for one that is not."""


TIMES = st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0])
VISITS = st.builds(
    Visit,
    target=st.integers(0, 1),
    comes=TIMES,
    connects=TIMES,
    is_refused=st.sampled_from([False, False, False, True]),
    holds=TIMES,
    breaks=st.booleans(),
    leaves=st.sampled_from([math.inf, math.inf, 0.0, 0.5, 1.0, 1.5, 3.0]),
)


@attrs.frozen
class Setting:
    """The limits of a law's run."""

    max_connections: int
    max_idle: int
    max_total: float
    capacity: int
    idle: float
    lifetime: float


SETTINGS = st.builds(
    Setting,
    max_connections=st.integers(1, 3),
    max_idle=st.integers(0, 3),
    max_total=st.sampled_from([math.inf, 1, 2, 3]),
    capacity=st.sampled_from([1, 1, 2]),
    idle=st.sampled_from([1.0, 90.0]),
    lifetime=st.sampled_from([math.inf, 1.5]),
)


class Run:
    """A law's run: its pools, and every connection that was ever opened."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.total = Total(setting.max_total)
        chosen = limits(
            max_connections=setting.max_connections,
            max_idle=setting.max_idle,
            idle=setting.idle,
            lifetime=setting.lifetime,
        )
        is_shared = setting.capacity > 1
        self.pools = [Pool(chosen, self.total, is_shared=is_shared) for _ in range(2)]
        self.opened: list[list[FakeConnection]] = [[], []]
        self.served = 0

    def check(self) -> None:
        """Hold every count against what there is."""
        places = 0
        for pool, opened in zip(self.pools, self.opened, strict=True):
            counts = pool.counts
            open_now = [one for one in opened if not one.is_closed or one.under_way]
            assert counts.idle + counts.in_use >= len([one for one in opened if one.under_way])
            assert counts.idle <= len(open_now)
            assert min(attrs.astuple(counts)) >= 0
            here = counts.connecting + counts.idle + counts.in_use
            assert here <= self.setting.max_connections
            assert all(one.under_way <= self.setting.capacity for one in opened)
            places += here
        assert places == self.total._taken
        assert places <= self.setting.max_total

    async def visit(self, visit: Visit) -> None:
        """One request, from its coming to its end."""
        await trio.sleep(visit.comes)
        with trio.move_on_after(visit.leaves):
            await self._visit(visit)
        self.check()

    async def _visit(self, visit: Visit) -> None:
        pool = self.pools[visit.target]
        member = await pool.acquire()
        self.check()
        if member is None:
            member = await self._open(visit)
            if member is None:
                return
        connection = fake(member)
        # A shared one may break between the hand-over and the use; the client asks again then.
        assert connection.is_usable or connection.is_shared
        connection.under_way += 1
        self.check()
        self.served += 1
        is_done = False
        try:
            await trio.sleep(visit.holds)
            is_done = True
        finally:
            connection.under_way -= 1
            if visit.breaks or not is_done:
                connection.is_usable = False
            pool.release(member)

    async def _open(self, visit: Visit) -> Member | None:
        pool, connection = self.pools[visit.target], None
        try:
            await trio.sleep(visit.connects)
            if not visit.is_refused:
                connection = FakeConnection(self.setting.capacity)
        finally:
            if connection is None:
                pool.failed()
        if connection is None:
            return None
        self.opened[visit.target].append(connection)
        return pool.connected(connection)  # type: ignore[arg-type]


def check_law(setting: Setting, visits: list[Visit]) -> None:
    """Let the requests come; hold the pool against the law all along and at the end."""

    async def main() -> None:
        run = Run(setting)
        with trio.fail_after(1000):
            async with trio.open_nursery() as nursery:
                for visit in visits:
                    nursery.start_soon(run.visit, visit)
        run.check()
        for pool, opened in zip(run.pools, run.opened, strict=True):
            assert (pool.counts.connecting, pool.counts.in_use, pool.counts.waiting) == (0, 0, 0)
            assert pool.counts.idle == len([one for one in opened if not one.is_closed])
            assert pool.counts.idle <= setting.max_idle
        stays = [one for one in visits if one.leaves == math.inf and not one.is_refused]
        assert run.served >= len(stays)

    run_in_virtual_time(main)


@given(SETTINGS, st.lists(VISITS, max_size=8))
def test_places_are_conserved_and_everybody_who_stays_is_served(
    setting: Setting, visits: list[Visit]
) -> None:
    check_law(setting, visits)


ONE = Setting(1, 1, math.inf, 1, 90.0, math.inf)
STAYS = Visit(0, 0.0, 0.5, is_refused=False, holds=1.0, breaks=False, leaves=math.inf)


def test_the_law_finds_a_waiter_that_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pool, "_serve_all", lambda self: None)
    with pytest.raises((AssertionError, ExceptionGroup, trio.TooSlowError)):
        check_law(ONE, [STAYS, STAYS])


def test_the_law_finds_a_place_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Total, "give_back", lambda self: None)
    with pytest.raises((AssertionError, ExceptionGroup)):
        check_law(ONE, [attrs.evolve(STAYS, breaks=True)])


def test_the_law_finds_a_broken_connection_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(self: Pool, member: Member) -> None:
        member.leases -= 1
        self._free[member] = None
        self.idle += 1
        self._serve_all()

    monkeypatch.setattr(Pool, "release", release)
    monkeypatch.setattr(Pool, "_is_good", lambda self, member, now: True)
    with pytest.raises((AssertionError, ExceptionGroup)):
        check_law(ONE, [attrs.evolve(STAYS, breaks=True)] * 2)
