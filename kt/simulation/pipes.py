"""Streams in memory that behave like TCP: bounded, cut anywhere, ended by half, closed or reset.

In: chance and room. Out: two ends. Never: time that passes by itself, sockets.
"""

from collections.abc import Callable
from random import Random

import attrs
import trio

Stream = trio.StapledStream["SendEnd", "ReceiveEnd"]
"""One end of a connection."""


class Pipe:
    """One direction of a connection."""

    def __init__(self, chance: Random, room: int) -> None:
        self._chance = chance
        self._room = room
        self._data = bytearray()
        self._changed = trio.Event()
        self.is_ended = False
        """No more will be sent."""
        self.is_reset = False
        self.sent = self.taken = 0
        """How many bytes."""
        self.closed_at: float | None = None
        """When its reader closed it."""

    async def changed(self) -> None:
        """Wait until something happens to it."""
        await self._changed.wait()

    def note(self) -> None:
        """Wake everybody who waits for this pipe."""
        self._changed.set()
        self._changed = trio.Event()

    def reset(self) -> None:
        """Break it: what is on its way is lost."""
        self._data.clear()
        self.is_reset = True
        self.note()

    async def put(self, data: bytes, is_open: Callable[[], bool]) -> None:
        """Hand over all of it, as there is room."""
        left = memoryview(data)
        await trio.lowlevel.checkpoint()
        while left:
            if not is_open():
                raise trio.ClosedResourceError
            if self.is_reset or self.closed_at is not None:
                raise trio.BrokenResourceError("the other end is closed")
            room = self._room - len(self._data)
            if room <= 0:
                await self._changed.wait()
                continue
            self._data += left[:room]
            self.sent += len(left[:room])
            left = left[room:]
            self.note()

    async def take(self, most: int) -> bytes:
        """A piece of what is there; empty at the end."""
        await trio.lowlevel.checkpoint()
        while True:
            if self.closed_at is not None:
                raise trio.ClosedResourceError
            if self.is_reset:
                raise trio.BrokenResourceError("reset")
            if self._data:
                return self._cut(most)
            if self.is_ended:
                return b""
            await self._changed.wait()

    def _cut(self, most: int) -> bytes:
        """Most pieces come whole; some are cut, even inside of a character."""
        size = min(most, len(self._data))
        if self._chance.random() < 0.25:
            size = self._chance.randint(1, size)
        piece = bytes(self._data[:size])
        del self._data[:size]
        self.taken += size
        self.note()
        return piece


@attrs.define(eq=False)
class SendEnd(trio.abc.SendStream):
    """Where a pipe is written."""

    pipe: Pipe
    is_open: bool = True

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send as TCP does."""
        await self.pipe.put(bytes(data), lambda: self.is_open)

    async def wait_send_all_might_not_block(self) -> None:
        """Nobody here waits for that."""
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """End the pipe; who is sending gets ClosedResourceError."""
        self.is_open = False
        self.pipe.is_ended = True
        self.pipe.note()

    async def aclose(self) -> None:
        """The same, as trio wants it."""
        self.close()
        await trio.lowlevel.checkpoint()


@attrs.define(eq=False)
class ReceiveEnd(trio.abc.ReceiveStream):
    """Where a pipe is read."""

    pipe: Pipe

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive as TCP does."""
        return await self.pipe.take(max_bytes or 2**16)

    def close(self) -> None:
        """Close the pipe; who sends gets BrokenResourceError."""
        if self.pipe.closed_at is None:
            self.pipe.closed_at = trio.current_time()
            self.pipe.note()

    async def aclose(self) -> None:
        """The same, as trio wants it."""
        self.close()
        await trio.lowlevel.checkpoint()


def connection(chance: Random, room: int) -> tuple[Stream, Stream]:
    """The two ends of a new connection."""
    there, back = Pipe(chance, room), Pipe(chance, room)
    ours = trio.StapledStream(SendEnd(there), ReceiveEnd(back))
    theirs = trio.StapledStream(SendEnd(back), ReceiveEnd(there))
    return ours, theirs


def close(stream: Stream) -> None:
    """Close both directions."""
    stream.send_stream.close()
    stream.receive_stream.close()


def reset(stream: Stream) -> None:
    """Break both directions."""
    stream.send_stream.pipe.reset()
    stream.receive_stream.pipe.reset()


async def until_closed(stream: Stream) -> None:
    """Wait until the other end reads no more."""
    pipe = stream.send_stream.pipe
    while pipe.closed_at is None and not pipe.is_reset:
        await pipe.changed()
