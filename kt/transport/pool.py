"""Which connection a request gets: places, turns, and what is kept for later. It opens nothing.

Theory of operation. A place is the right to have one connection; `max_connections` bounds those of
a target, a `Total` those of all. Every place holds a connection that is being opened or is open,
and an open one is idle or carries exchanges: connecting + idle + in_use = places, always. A request
that finds no room waits in a queue; whatever frees room hands it to the first in the queue, so
nobody is overtaken. Nothing here waits but `acquire`, and closing is a plain call, so no
cancellation can come between a decision and what is written down of it.

Taking and giving back are O(1): the connection used last is used next, and those that are too old
lie at the other end. Only where `max_total` is reached are the targets looked through, for the one
that has been idle longest.
"""

from math import inf

import attrs
import trio

from kt.transport.connection import Connection

MOMENT = 1.0
"""How late an idle connection may be closed that nobody asks for."""


@attrs.frozen(kw_only=True)
class PoolLimits:
    """How many connections one target may have, how many idle ones, and for how long."""

    max_connections: int
    max_idle: int
    idle: float
    lifetime: float = inf


@attrs.frozen
class PoolCounts:
    """One target's connections, and the requests that wait for one."""

    connecting: int
    idle: int
    in_use: int
    waiting: int


class Member:
    """An open connection and what the pool knows of it."""

    __slots__ = ("connection", "idle_since", "leases", "opened")

    def __init__(self, connection: Connection, now: float) -> None:
        self.connection = connection
        self.leases = 1
        self.opened = now
        self.idle_since = now


class _Waiter:
    """A request in the queue; when its event is set it has a member, or a place (None)."""

    __slots__ = ("event", "member")

    def __init__(self) -> None:
        self.event = trio.Event()
        self.member: Member | None = None


class Total:
    """The places of all targets together."""

    def __init__(self, most: float = inf) -> None:
        self.pools: list[Pool] = []
        self._most = most
        self._taken = 0
        self._waiting: dict[Pool, None] = {}
        """The pools whose first waiter needs a place, the longest waiting one first."""

    def take(self, pool: "Pool") -> bool:
        """Take a place, at the cost of the connection that is idle longest where there is no other.

        Where there is none at all, the pool is served once there is.
        """
        if self._taken >= self._most and not self._evict():
            self._waiting[pool] = None
            return False
        self._taken += 1
        return True

    def give_back(self) -> None:
        """A place is free; whoever frees one calls `serve` when it is done."""
        self._taken -= 1

    def withdraw(self, pool: "Pool") -> None:
        """The pool needs no place any more."""
        self._waiting.pop(pool, None)

    @property
    def is_short(self) -> bool:
        """Whether somebody waits for a place."""
        return bool(self._waiting)

    def serve(self) -> None:
        """Hand free places to those who wait for one."""
        while self._waiting and self._taken < self._most:
            pool = next(iter(self._waiting))
            del self._waiting[pool]
            pool.serve_waiters()

    def _evict(self) -> bool:
        oldest = min((pool for pool in self.pools if pool.idle), key=_idle_since, default=None)
        return oldest is not None and oldest.drop_oldest()


def _idle_since(pool: "Pool") -> float:
    return pool.oldest_idle().idle_since


async def reap(total: Total) -> None:
    """Close what is idle for too long, for as long as it runs: one task for all connections."""
    while True:  # noqa: ASYNC110 - it waits for time to pass, not for something to happen
        await trio.sleep(max(MOMENT, min((pool.reap() for pool in total.pools), default=inf)))


class Pool:
    """The connections of one target."""

    def __init__(self, limits: PoolLimits, total: Total, *, is_shared: bool = False) -> None:
        self._limits = limits
        self._total = total
        self._members: set[Member] = set()
        self._free: dict[Member, None] = {}
        """Those with room, the one used last at the end."""
        self._waiters: dict[_Waiter, None] = {}
        self._connecting = 0
        self._is_shared = is_shared
        """While one connection is being opened that may take many, nobody opens another."""
        self.idle = 0
        total.pools.append(self)

    @property
    def counts(self) -> PoolCounts:
        """How many there are of each, now."""
        in_use = len(self._members) - self.idle
        return PoolCounts(self._connecting, self.idle, in_use, len(self._waiters))

    async def acquire(self) -> Member | None:
        """A connection with room; or None, leave to open one: then call `connected` or `failed`.

        Nobody who came earlier is overtaken. Every member is given back by `release` or `renew`.
        """
        if self._waiters:
            return await self._wait()
        member = self._take_free()
        has_place = member is not None or self._take_place()
        if self._total.is_short:
            self._total.serve()  # dead connections may have freed more places than one
        return member if has_place else await self._wait()

    def connected(self, connection: Connection) -> Member:
        """The connection is open; the caller is the first to use it."""
        self._connecting -= 1
        self._is_shared = connection.is_shared
        member = Member(connection, trio.current_time())
        self._members.add(member)
        if connection.capacity > 1:
            self._free[member] = None
        self._serve_all()
        return member

    def failed(self) -> None:
        """No connection came about."""
        self._connecting -= 1
        self._total.give_back()
        self._serve_all()

    def release(self, member: Member) -> None:
        """Give a connection back: to the first waiter, to the idle ones, or to be closed."""
        member.leases -= 1
        now = trio.current_time()
        self._free.pop(member, None)
        if not member.connection.is_usable or self._is_too_old(member, now):
            self._drop_if_unused(member)
        else:
            self._free[member] = None
            if not member.leases:
                member.idle_since = now
                self.idle += 1
        self._serve_all()
        if member in self._free and not member.leases and self._is_surplus():
            self._drop_idle(member)
            self._serve_all()

    def renew(self, member: Member) -> bool:
        """Close a connection that broke and keep its place, as `acquire` gives one.

        False where others still use it: then it is only given back.
        """
        if member.leases > 1:
            self.release(member)
            return False
        self._free.pop(member, None)
        self._members.discard(member)
        member.connection.close()
        self._connecting += 1
        return True

    def reap(self) -> float:
        """Close what has been idle for too long, or is dead; the seconds until there is more."""
        now = trio.current_time()
        for member in [one for one in self._free if not one.leases]:
            if not self._is_good(member, now):
                self._drop_idle(member)
        self._serve_all()
        idle = [self._idle_end(one) - now for one in self._free if not one.leases]
        return max(0.0, min([self._limits.idle, self._limits.lifetime, *idle]))

    def close(self) -> None:
        """Close every connection; those in use fail."""
        for member in self._members:
            member.connection.close()
        self.reap()

    # ---- for `Total`

    def serve_waiters(self) -> None:
        """Hand what room there is to those who wait, in their order."""
        while self._waiters:
            member = self._take_free()
            if member is None and not self._take_place():
                return
            waiter = next(iter(self._waiters))
            del self._waiters[waiter]
            waiter.member = member
            waiter.event.set()
        self._total.withdraw(self)

    def oldest_idle(self) -> Member:
        """The connection that is idle longest; there is one."""
        return next(one for one in self._free if not one.leases)

    def drop_oldest(self) -> bool:
        """Close the connection that is idle longest."""
        self._drop_idle(self.oldest_idle())
        return True

    async def _wait(self) -> Member | None:
        waiter = _Waiter()
        self._waiters[waiter] = None
        has_turn = False
        try:
            await waiter.event.wait()
            has_turn = True
        finally:
            if not has_turn:
                self._leave_queue(waiter)
        return waiter.member

    def _leave_queue(self, waiter: _Waiter) -> None:
        """A waiter was cancelled; what it was handed at the same moment goes to the next one."""
        if not waiter.event.is_set():
            del self._waiters[waiter]
            self.serve_waiters()
        elif waiter.member is None:
            self.failed()
        else:
            self.release(waiter.member)

    def _serve_all(self) -> None:
        if self._waiters:
            self.serve_waiters()
        if self._total.is_short:
            self._total.serve()

    def _take_free(self) -> Member | None:
        now = trio.current_time()
        while self._free:
            member = next(reversed(self._free))
            if self._is_good(member, now):
                return self._lend(member)
            self._retire(member)
        return None

    def _lend(self, member: Member) -> Member:
        if not member.leases:
            self.idle -= 1
        member.leases += 1
        if member.leases >= member.connection.capacity:
            del self._free[member]
        return member

    def _take_place(self) -> bool:
        if self._is_shared and self._connecting:
            return False
        places = self._connecting + len(self._members)
        if places >= self._limits.max_connections or not self._total.take(self):
            return False
        self._connecting += 1
        return True

    def _is_good(self, member: Member, now: float) -> bool:
        if not member.connection.is_usable or self._is_too_old(member, now):
            return False
        if member.leases:
            return True
        return now < member.idle_since + self._limits.idle and member.connection.is_alive()

    def _is_too_old(self, member: Member, now: float) -> bool:
        return now >= member.opened + self._limits.lifetime

    def _idle_end(self, member: Member) -> float:
        return min(member.idle_since + self._limits.idle, member.opened + self._limits.lifetime)

    def _is_surplus(self) -> bool:
        return self.idle > self._limits.max_idle or self._total.is_short

    def _retire(self, member: Member) -> None:
        """It takes no more exchanges; those that it carries may end."""
        if member.leases:
            del self._free[member]
        else:
            self._drop_idle(member)

    def _drop_idle(self, member: Member) -> None:
        del self._free[member]
        self.idle -= 1
        self._drop_if_unused(member)

    def _drop_if_unused(self, member: Member) -> None:
        if not member.leases:
            self._members.discard(member)
            member.connection.close()
            self._total.give_back()
