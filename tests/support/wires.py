"""A network in memory: streams that a test answers by hand, and who takes a transport's progress.

In: a handler per connection. Out: what was opened. Never: sockets.
"""

import ssl
from collections.abc import Awaitable, Callable

import attrs
import trio
from trio.testing import memory_stream_pair

from kt.transport.failures import NotConnected
from kt.transport.messages import Origin, RequestHead

Server = Callable[[trio.abc.Stream], Awaitable[None]]

ORIGIN = Origin("provider.test", 80, is_tls=False)
HEAD = RequestHead(ORIGIN, b"POST", b"/v1/x", ((b"content-type", b"application/json"),))


@attrs.define
class MemoryNetwork:
    """Opens streams to one server, which runs a task for each."""

    server: Server
    nursery: trio.Nursery
    seconds: float = 0.0
    """How long opening takes."""
    refuses: bool = False
    opened: list[trio.abc.Stream] = attrs.field(factory=list)

    async def dial(self, host: str, port: int, tls: ssl.SSLContext | None) -> trio.abc.Stream:
        """Open a stream: a transport's `Dial`."""
        await trio.sleep(self.seconds)
        if self.refuses:
            raise NotConnected("cannot be reached")
        ours, theirs = memory_stream_pair()
        self.opened.append(ours)
        self.nursery.start_soon(self._serve, theirs)
        return ours

    async def _serve(self, stream: trio.abc.Stream) -> None:
        try:
            await self.server(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client left
        finally:
            await trio.aclose_forcefully(stream)


@attrs.define
class Times:
    """Notes when a request had its turn and its connection."""

    turned: float | None = None
    connected: float | None = None

    def on_turn(self) -> None:
        """It has its turn."""
        self.turned = trio.current_time()

    def on_connection(self) -> None:
        """It has its connection."""
        self.connected = trio.current_time()


async def read_request(stream: trio.abc.ReceiveStream, end: bytes = b"body") -> bytes | None:
    """A request that ends in these bytes; None where the client left."""
    data = b""
    while not data.endswith(end):
        piece = await stream.receive_some(65536)
        if not piece:
            return None
        data += piece
    return data


def answering(*answers: bytes, closes: bool = False) -> Server:
    """A server that gives these answers on each connection, one per request, the last one again."""

    async def serve(stream: trio.abc.Stream) -> None:
        left = list(answers)
        while await read_request(stream) is not None:
            await stream.send_all(left.pop(0) if len(left) > 1 else left[0])
            if closes and len(left) == 1:
                return

    return serve
