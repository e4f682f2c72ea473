"""Who may run now: slots, a bounded queue in front of them, and a bound on buffered bodies.

A slot is held by an `async with`, so leaving, failing and being cancelled all give it back. A
request takes its place among all, among its user's and among its team's in one step or not at all:
while it waits it holds none of them, so no order of arrival can block itself.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import MappingProxyType

import attrs
import trio

from kt.errors import GatewayError
from kt.plan import Admission, Count, Sizes, Timeouts

BODIES_AT_ONCE = 64
"""How many bodies of the largest allowed size may be in memory at the same time."""

_TOO_MANY: Mapping[str, str] = MappingProxyType(
    {
        "queue_full": "the gateway is at capacity and its queue is full",
        "queue_timeout": "the request waited too long for a free slot",
        "user_limit": "this user has as many requests under way as one user may have",
        "team_limit": "this team has as many requests under way as one team may have",
    }
)


class _Share:
    """The places of each user, or of each team. Who has nothing here has no entry."""

    def __init__(self) -> None:
        self._limit: int | None = None
        self.running: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()

    def follow(self, limit: Count | None) -> None:
        """Take another limit; who runs or waits keeps its place."""
        self._limit = None if limit is None else limit.value

    def has_room(self, name: str | None) -> bool:
        """Whether one more of this name may run; who has no name is not limited here."""
        return self._limit is None or name is None or self.running[name] < self._limit

    def may_wait(self, name: str | None) -> bool:
        """Whether one more of this name may wait: as many as may run, so none fills the queue."""
        return self._limit is None or name is None or self.waiting[name] < self._limit

    def note(self, counts: Counter[str], name: str | None, change: int) -> None:
        """Count one more or one less, limited or not: the next plan may have a limit."""
        if name is None:
            return
        counts[name] += change
        if not counts[name]:
            del counts[name]


@attrs.frozen(eq=False)
class _Waiter:
    """A request in the queue."""

    user: str | None
    team: str | None
    called: trio.Event = attrs.field(factory=trio.Event)
    """Set when it has its slot."""


class Gate:
    """The slots of one gateway, whichever plan runs."""

    def __init__(self, admission: Admission, timeouts: Timeouts, sizes: Sizes) -> None:
        self._users = _Share()
        self._teams = _Share()
        self._buffered = 0
        self._running = 0
        self._queue: dict[_Waiter, None] = {}
        """In the order of arrival."""
        self.follow(admission, timeouts, sizes)

    def __repr__(self) -> str:
        return f"<Gate {self.running} running, {self.waiting} waiting, {self._buffered} bytes>"

    def follow(self, admission: Admission, timeouts: Timeouts, sizes: Sizes) -> None:
        """Take the limits of a plan. Who runs goes on, who waits keeps its place and its time."""
        self._slots = admission.max_concurrent.value
        self._users.follow(admission.per_user)
        self._teams.follow(admission.per_team)
        self._max_queue = admission.max_queue.value
        self._queue_seconds = timeouts.queue.seconds
        self._max_buffered = sizes.request_body.value * BODIES_AT_ONCE
        self._call_next()

    @property
    def running(self) -> int:
        """How many requests hold a slot."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return len(self._queue)

    @property
    def tracked(self) -> int:
        """How many users and teams are remembered: those that run or wait."""
        shares = (self._users, self._teams)
        return sum(len(one.running.keys() | one.waiting.keys()) for one in shares)

    @asynccontextmanager
    async def slot(self, user: str | None = None, team: str | None = None) -> AsyncIterator[None]:
        """Hold a slot, and a place among those of its user and its team.

        Raises GatewayError: `queue_full`, `user_limit` or `team_limit` at once where there is no
        place to wait either, the last two or `queue_timeout` later.
        """
        # Nobody who waits could take a slot that is free now: `_release` has called those.
        scarce = self._scarce(user, team)
        if scarce is None:
            self._take(user, team)
        else:
            await self._wait(_Waiter(user, team), scarce)
        try:
            yield
        finally:
            self._release(user, team)

    def _scarce(self, user: str | None, team: str | None) -> str | None:
        """Why such a request cannot run now: a code; None where it can."""
        if not self._users.has_room(user):
            return "user_limit"
        if not self._teams.has_room(team):
            return "team_limit"
        return None if self._running < self._slots else "queue_timeout"

    def _take(self, user: str | None, team: str | None) -> None:
        self._running += 1
        self._users.note(self._users.running, user, 1)
        self._teams.note(self._teams.running, team, 1)

    def _release(self, user: str | None, team: str | None) -> None:
        self._running -= 1
        self._users.note(self._users.running, user, -1)
        self._teams.note(self._teams.running, team, -1)
        self._call_next()

    def _call_next(self) -> None:
        """Give what is free to who waits longest among those that could run."""
        while self._running < self._slots and (waiter := self._next()) is not None:
            self._leave_queue(waiter)
            self._take(waiter.user, waiter.team)
            waiter.called.set()

    def _next(self) -> _Waiter | None:
        could_run = (one for one in self._queue if self._scarce(one.user, one.team) is None)
        return next(could_run, None)

    async def _wait(self, waiter: _Waiter, scarce: str) -> None:
        """Wait for a slot; where the wait ends in another way, it is left to others."""
        self._enter_queue(waiter, scarce)
        try:
            with trio.move_on_after(self._queue_seconds):
                await waiter.called.wait()
        except trio.Cancelled:  # the client left, or its time is over
            self._withdraw(waiter)
            raise
        if not waiter.called.is_set():
            self._leave_queue(waiter)
            raise _refused(self._scarce(waiter.user, waiter.team) or "queue_timeout")

    def _withdraw(self, waiter: _Waiter) -> None:
        if waiter.called.is_set():
            self._release(waiter.user, waiter.team)
        else:
            self._leave_queue(waiter)

    def _enter_queue(self, waiter: _Waiter, scarce: str) -> None:
        if not self._users.may_wait(waiter.user):
            raise _refused("user_limit")
        if not self._teams.may_wait(waiter.team):
            raise _refused("team_limit")
        if self.waiting >= self._max_queue:
            raise _refused("queue_full" if scarce == "queue_timeout" else scarce)
        self._queue[waiter] = None
        self._users.note(self._users.waiting, waiter.user, 1)
        self._teams.note(self._teams.waiting, waiter.team, 1)

    def _leave_queue(self, waiter: _Waiter) -> None:
        del self._queue[waiter]
        self._users.note(self._users.waiting, waiter.user, -1)
        self._teams.note(self._teams.waiting, waiter.team, -1)

    @contextmanager
    def buffer(self) -> Iterator["Buffer"]:
        """Account for a body while it is in memory."""
        buffer = Buffer(self)
        try:
            yield buffer
        finally:
            self._buffered -= buffer.size

    def _grow(self, size: int) -> None:
        if self._buffered + size > self._max_buffered:
            raise GatewayError("queue_full", "the gateway holds too many request bodies already")
        self._buffered += size


class Buffer:
    """The bytes that one request keeps in memory."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.size = 0

    def grow(self, size: int) -> None:
        """Account for more bytes. Raises GatewayError `queue_full` where there is no room."""
        self._gate._grow(size)
        self.size += size


def _refused(code: str) -> GatewayError:
    return GatewayError(code, _TOO_MANY[code])
