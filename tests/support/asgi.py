"""Drive an ASGI app over memory channels, seeing each message with its time.

In: an ASGI app and one request. Out: its messages, one by one or collected. Never: sockets, threads
or a clock of its own, so it runs under trio's MockClock.

It behaves as our server does (house T9): a client that left is told to the app by `receive()` only,
and what the app sends from then on is dropped. A message is handed over when the test asks for it,
so an app whose client does not read waits in `send`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

Asgi = dict[str, Any]  # Any: ASGI messages hold bytes, numbers, lists and flags
ASGIApp = Callable[
    [Asgi, Callable[[], Awaitable[Asgi]], Callable[[Asgi], Awaitable[None]]], Awaitable[None]
]
Headers = Iterable[tuple[str, str]]

OUTLIVES = 10.0
"""Seconds that an app may go on after its client left before the driver calls it stuck."""


@attrs.frozen
class Message:
    """One message of the app and the trio time at which it was sent."""

    time: float
    data: Asgi

    @property
    def type(self) -> str:
        """`http.response.start` or `http.response.body`."""
        return str(self.data["type"])

    @property
    def body(self) -> bytes:
        """The bytes that it carries; none in a head."""
        return bytes(self.data.get("body", b""))

    @property
    def is_last(self) -> bool:
        """Whether the answer is complete with it."""
        return self.type == "http.response.body" and not self.data.get("more_body", False)


@attrs.frozen
class Response:
    """A collected answer. `is_complete` is false where the app ended without its last message."""

    messages: tuple[Message, ...]

    @property
    def _head(self) -> Message:
        head = self.messages[0]
        assert head.type == "http.response.start", f"an answer began with {head.type}"
        return head

    @property
    def status(self) -> int:
        """The status code."""
        return int(self._head.data["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name; the last of a name wins."""
        pairs = self._head.data.get("headers", ())
        return {name.decode().lower(): value.decode() for name, value in pairs}

    @property
    def body(self) -> bytes:
        """Every byte of the body."""
        return b"".join(message.body for message in self.messages)

    @property
    def is_complete(self) -> bool:
        """Whether the last message said that it is the last."""
        return bool(self.messages) and self.messages[-1].is_last


class Exchange:
    """One request under way, seen from its client."""

    def __init__(self, body_chunks: Iterable[bytes]) -> None:
        self._sender, self._messages = trio.open_memory_channel[Message](0)
        self._chunks = list(body_chunks) or [b""]
        self._over = trio.Event()
        self.finished = trio.Event()
        """Set when the app has returned."""

    async def receive_message(self) -> Message:
        """Wait for the next message. Raises trio.EndOfChannel when the app ended without one."""
        return await self._messages.receive()

    async def collect(self) -> Response:
        """Wait for all (remaining) messages, up to the last or to the end of the app."""
        messages: list[Message] = []
        async for message in self._messages:
            messages.append(message)
            if message.is_last:
                break
        return Response(tuple(messages))

    def leave(self) -> None:
        """Close the connection: the app hears `http.disconnect`, its sends become no-ops."""
        self._over.set()
        self._messages.close()

    async def receive(self) -> Asgi:
        """The app's `receive`: the body's chunks, then the end of the exchange."""
        await trio.lowlevel.checkpoint()
        if self._chunks and not self._over.is_set():
            body = self._chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._chunks)}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, data: Asgi) -> None:
        """The app's `send`: waits until the client takes the message."""
        message = Message(trio.current_time(), data)
        try:
            await self._sender.send(message)
        except trio.BrokenResourceError:
            return  # the client left: our server drops it in silence as well
        if message.is_last:
            self._over.set()

    async def run(self, app: ASGIApp, scope: Asgi) -> None:
        """Run the app to its end."""
        with self._sender:
            try:
                await app(scope, self.receive, self.send)
            finally:
                self.finished.set()


def http_scope(method: str, path: str, headers: Headers = ()) -> dict[str, Any]:
    """The connection scope of a request as our server builds it."""
    plain, _, query = path.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"spec_version": "2.1", "version": "3.0"},
        "method": method,
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8080),
        "state": {},
        "extensions": {},
    }


@asynccontextmanager
async def asgi_request(
    app: ASGIApp,
    method: str = "GET",
    path: str = "/",
    headers: Headers = (),
    body_chunks: Iterable[bytes] = (),
) -> AsyncIterator[Exchange]:
    """Send one request to the app and hold its exchange open for the block.

    At the end of the block the client leaves; the app then has `OUTLIVES` seconds to return. What
    the app raises comes out of the block in an exception group.
    """
    exchange = Exchange(body_chunks)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(exchange.run, app, http_scope(method, path, headers))
        try:
            yield exchange
        finally:
            exchange.leave()
        with trio.move_on_after(OUTLIVES):
            await exchange.finished.wait()
        if not exchange.finished.is_set():
            nursery.cancel_scope.cancel()
            raise AssertionError(f"the app outlived its client by {OUTLIVES} seconds")


async def ask(
    app: ASGIApp,
    method: str = "GET",
    path: str = "/",
    headers: Headers = (),
    body: bytes = b"",
) -> Response:
    """Send one request and collect the whole answer."""
    async with asgi_request(app, method, path, headers, [body]) as exchange:
        return await exchange.collect()
