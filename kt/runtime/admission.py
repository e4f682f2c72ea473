"""Who may run now: slots, a bounded queue in front of them, and a bound on buffered bodies.

A slot is held by an `async with`, so leaving, failing and being cancelled all give it back.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import trio

from kt.errors import GatewayError
from kt.plan import Admission, Sizes, Timeouts

BODIES_AT_ONCE = 64
"""How many bodies of the largest allowed size may be in memory at the same time."""


class Gate:
    """The slots of one gateway."""

    def __init__(self, admission: Admission, timeouts: Timeouts, sizes: Sizes) -> None:
        self._slots = trio.CapacityLimiter(admission.max_concurrent.value)
        self._max_queue = admission.max_queue.value
        self._queue_seconds = timeouts.queue.seconds
        self._max_buffered = sizes.request_body.value * BODIES_AT_ONCE
        self._buffered = 0

    def __repr__(self) -> str:
        return f"<Gate {self.running} running, {self.waiting} waiting, {self._buffered} bytes>"

    @property
    def running(self) -> int:
        """How many requests hold a slot."""
        return int(self._slots.borrowed_tokens)

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return int(self._slots.statistics().tasks_waiting)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot. Raises GatewayError: `queue_full` at once, `queue_timeout` later."""
        holder = object()
        try:
            self._slots.acquire_on_behalf_of_nowait(holder)
        except trio.WouldBlock:
            await self._wait(holder)
        try:
            yield
        finally:
            self._slots.release_on_behalf_of(holder)

    async def _wait(self, holder: object) -> None:
        if self.waiting >= self._max_queue:
            raise GatewayError("queue_full", "the gateway is at capacity and its queue is full")
        with trio.move_on_after(self._queue_seconds):
            await self._slots.acquire_on_behalf_of(holder)
            return
        raise GatewayError("queue_timeout", "the request waited too long for a free slot")

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
