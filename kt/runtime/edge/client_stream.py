"""The stream to one client: bounded sends, an end that is always the same, a close that is now.

In: a stream and how long a client may take nothing. Out: bytes, and `b""` once the client has
left, also by half. Never: waits for a client without a bound, raises because one has left.
"""

import socket
import struct
from contextlib import suppress

import trio

from kt.transport.streams import bottom, close_now

READ = 2**16
"""The most bytes taken from a client at once."""

SLICE = 2**16
"""The most bytes that a client must take within the limit."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: what was not sent yet is forgotten."""

Address = tuple[str, int]


class ClientStream:
    """One client, as bytes."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, limit: float) -> None:
        self._stream = stream
        self._lowest = bottom(stream)
        self._limit = limit
        self._sending: trio.CancelScope | None = None
        self.lost = trio.Event()
        """Set when nothing is sent or received any more."""

    async def receive(self) -> bytes:
        """What the client sends next; empty when it has left or is lost."""
        try:
            return bytes(await self._stream.receive_some(READ))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def send(self, data: bytes) -> None:
        """Hand bytes to the client; if it left, or takes none for too long, it is lost.

        No cancel scope of the caller cuts a send, since half a chunk would corrupt the answer.
        Nothing is sent to a client that is lost.
        """
        if self.lost.is_set():
            # Who sends to nobody without end must not keep the others from running.
            await trio.lowlevel.checkpoint()
        elif not await self._is_taken(data):
            self.forget_unsent()
            self.close()

    async def _is_taken(self, data: bytes) -> bool:
        with trio.CancelScope(shield=True) as self._sending:
            try:
                for start in range(0, len(data), SLICE):
                    self._sending.deadline = trio.current_time() + self._limit
                    piece = data if len(data) <= SLICE else data[start : start + SLICE]
                    await self._stream.send_all(piece)
                return True
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return False
        return False

    async def send_eof(self) -> None:
        """Say that nothing more comes."""
        # It may have left, or not take what it was sent: whoever waits for it has a deadline.
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            await self._stream.send_eof()

    def cut(self) -> None:
        """End everything now, sends included."""
        self.forget_unsent()
        self.lost.set()
        if self._sending is not None:
            self._sending.cancel()

    def close(self) -> None:
        """Close without waiting; whoever reads hears that the client has left."""
        self.lost.set()
        close_now(self._stream)

    def forget_unsent(self) -> None:
        """Let the close reset the connection: the system would keep trying to send for minutes."""
        if isinstance(self._lowest, trio.SocketStream):
            with suppress(OSError):
                self._lowest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    def addresses(self) -> tuple[Address | None, Address | None]:
        """The client's and our own address, where the stream has them."""
        if not isinstance(self._lowest, trio.SocketStream):
            return None, None
        try:
            client, own = self._lowest.socket.getpeername(), self._lowest.socket.getsockname()
        except OSError:  # it left before we looked
            return None, None
        return _address(client), _address(own)


def _address(name: object) -> Address | None:
    """Host and port; sockets of other families have other names."""
    return (name[0], name[1]) if isinstance(name, tuple) else None
