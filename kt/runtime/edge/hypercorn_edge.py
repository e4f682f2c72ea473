"""One client on hypercorn's HTTP/1.1: the edge of `gateway.edge: hypercorn`.

In: a stream and an ASGI app. Out: as for our own edge. Never: an HTTP/2 connection, a wait for a
client longer than the settings say.

Theory of operation. hypercorn parses and formats HTTP; this file owns the tasks and the waits. Per
connection there is a reader (bytes from the client), a parser (hypercorn's protocol, which may wait
for the app) and the app of the request under way. They are coupled by these rules:

* The reader ends when the client left, also by half: then the app hears `http.disconnect`, nothing
  is sent any more and the socket is closed. It goes on reading while the parser waits (a pipelined
  request), so that leaving is noticed then, too.
* A send is never cut by the app's cancel scope. It is cut when the client took no bytes for `send`
  seconds, or when the drain is over: the connection is lost then. To the app a lost connection is
  one whose sends do nothing.
* `Inbox` never makes the end of an exchange wait behind body pieces that the app has not read;
  hypercorn's own queue does, and an app that answers early would wait for itself.

HTTP/2 by prior knowledge is answered 505; upgrades (h2c, WebSocket) are ignored as RFC 9110 allows,
so that the request is answered as the plain one that it is. h2 code is never reached.
h11 is more lenient than our own edge; what it lets pass is refused before it or behind it.
"""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
import trio
from h11._receivebuffer import ReceiveBuffer
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from kt.runtime.edge.client_stream import ClientStream
from kt.runtime.edge.settings import ServeSettings
from kt.runtime.guard import Log, guarded
from kt.runtime.inbox import ASGIApp, Inbox, Message

SPOKEN = frozenset({b"1.0", b"1.1"})
"""The versions of HTTP that are answered."""


LENGTHS = 2**64
"""Where numbers of other readers end, and begin again at nothing."""


class HypercornEdge:
    """Makes connections; what those of one server share."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, log: Log) -> None:
        self.app = app
        self.settings = settings
        self.log = log
        self.context = WorkerContext(None)
        self.config = _hypercorn_config(settings)

    def open(self, stream: trio.abc.HalfCloseableStream) -> "HypercornConnection":
        """A connection that is not run yet."""
        return HypercornConnection(self, stream)

    async def wind_up(self) -> None:
        """From now on, answers are the last ones of their connections; idle ones close."""
        await self.context.terminated.set()


def _hypercorn_config(settings: ServeSettings) -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.include_server_header = False
    config.include_date_header = True
    config.keep_alive_timeout = settings.keep_alive
    config.keep_alive_max_requests = settings.requests_per_connection
    config.h11_max_incomplete_size = settings.head_bytes
    return config


class _Apps(TaskGroup):
    """Runs the app once per request of a connection; replaces hypercorn's queue and its log."""

    def __init__(self, server: HypercornEdge, nursery: trio.Nursery) -> None:
        super().__init__()
        self._server = server
        self._nursery: trio.Nursery = nursery

    async def spawn_app(self, app: Any, config: Config, scope: Any, send: Any) -> Any:
        """Start the app for one request. Any: the types that hypercorn gives these are its own."""
        inbox = Inbox()
        self._nursery.start_soon(self._run, app, inbox, scope, send)
        return inbox.put

    async def _run(
        self,
        app: ASGIApp,
        inbox: Inbox,
        scope: Message,
        send: Callable[[Message | None], Awaitable[None]],
    ) -> None:
        async def tell(message: Message) -> None:
            # An app that sends to nobody without end must not keep the others from running.
            await trio.lowlevel.checkpoint()
            await send(self._with_close(message))

        try:
            await guarded(partial(app, scope, inbox.receive, tell), self._server.log)
        finally:
            inbox.close()
        await send(None)  # an answer that was not begun becomes a 500, one not ended is cut

    def _with_close(self, message: Message) -> Message:
        is_draining = self._server.context.terminated.is_set()
        if message["type"] != "http.response.start" or not is_draining:
            return message
        return {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}


class _StrictLines(ReceiveBuffer):
    """h11's buffer, refusing what RFC 9112 lets a reader take for a line and another may not."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """The lines of a head or of trailers, if they are complete."""
        before = bytes(self._data)
        lines = super().maybe_extract_lines()
        if lines is not None:
            taken = before[: len(before) - len(self._data)]
            if taken.count(b"\n") != taken.count(b"\r\n") or _FOLD.search(taken):
                raise h11.RemoteProtocolError("a bare line feed, or a folded line")
        return lines


_FOLD = re.compile(rb"\n[ \t]")


class _Http1(H11Protocol):
    """HTTP/1.1 and nothing else, whatever the client asks to switch to."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection._receive_buffer = _StrictLines()  # type: ignore[union-attr]  # h11's own

    async def _check_protocol(self, event: h11.Request) -> None:
        """Do nothing where hypercorn would switch to HTTP/2."""

    async def _create_stream(self, request: h11.Request) -> None:
        status = _refusal(request)
        if status is not None:
            await self._send_error_response(status)
            await self.send(Closed())
            return
        await super()._create_stream(_without_upgrade(request))


def _refusal(request: h11.Request) -> int | None:
    """Why a request that h11 took is not answered."""
    headers = dict(request.headers)
    is_chunked = b"transfer-encoding" in headers
    if request.http_version not in SPOKEN:
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    if request.method == b"CONNECT":
        return HTTPStatus.NOT_IMPLEMENTED
    if is_chunked and (b"content-length" in headers or request.http_version == b"1.0"):
        return HTTPStatus.BAD_REQUEST
    if int(headers.get(b"content-length", 0)) >= LENGTHS:
        return HTTPStatus.BAD_REQUEST
    return None


def _without_upgrade(request: h11.Request) -> h11.Request:
    headers = [(name, value) for name, value in request.headers if name != b"upgrade"]
    if len(headers) == len(request.headers):
        return request
    return h11.Request(
        method=request.method,
        target=request.target,
        headers=headers,
        http_version=request.http_version,
    )


class HypercornConnection(TCPServer):
    """One connection; see the theory of operation above."""

    _task_group: TaskGroup
    protocol: H11Protocol  # type: ignore[assignment]  # hypercorn's wrapper would offer HTTP/2

    def __init__(self, edge: HypercornEdge, stream: trio.abc.HalfCloseableStream) -> None:
        super().__init__(
            edge.app,  # type: ignore[arg-type]  # only `_Apps` calls it, in its own way
            edge.config,
            edge.context,
            ConnectionState({}),
            stream,  # type: ignore[arg-type]  # any stream that can be closed by half will do
        )
        self._edge = edge
        self._client = ClientStream(stream, edge.settings.send)
        self._life = trio.CancelScope()
        self._reading = trio.CancelScope()
        self._is_parting = False

    async def run(self) -> None:
        """Serve the connection to its end."""
        client, server = self._client.addresses()
        try:
            with self._life:
                async with trio.open_nursery() as nursery:
                    self._task_group = _Apps(self._edge, nursery)
                    self.protocol = _Http1(
                        self.app,
                        self.config,
                        self.context,
                        self._task_group,
                        ConnectionState({}),
                        False,
                        client,
                        server,
                        self.protocol_send,
                    )
                    await self.idle_task.restart(self._task_group, self._idle_timeout)
                    await self._read_data()
        finally:
            self._client.close()

    def wind_up(self) -> None:
        """The drain began, which the context tells whoever is idle."""

    def cut(self) -> None:
        """End everything of this connection now, shielded sends included."""
        self._life.cancel()
        self._client.cut()

    async def _read_data(self) -> None:
        sender, receiver = trio.open_memory_channel[bytes](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._parse, receiver)
            with self._reading:
                while data := await self._client.receive():
                    if not self._is_parting:
                        await sender.send(data)
            nursery.cancel_scope.cancel()
        await self._lose()

    async def _parse(self, pieces: trio.MemoryReceiveChannel[bytes]) -> None:
        async for data in pieces:
            await self.protocol.handle(RawData(data))

    async def protocol_send(self, event: Event) -> None:
        """Do what the protocol asks for, on behalf of the parser or of the app.

        Shielded: hypercorn has already changed its state, so the bytes and timers must follow.
        """
        with trio.CancelScope(shield=True):
            if isinstance(event, RawData):
                await self._send(event.data)
            elif isinstance(event, Closed):
                await self._part()
            elif isinstance(event, Updated):
                await self._set_idle(event.idle)

    async def _send(self, data: bytes) -> None:
        was_lost = self._client.lost.is_set()
        async with self.send_lock:
            await self._client.send(data)
        if self._client.lost.is_set() and not was_lost:
            await self._lose()

    async def _part(self) -> None:
        """Say that nothing more comes, and give the client `linger` seconds to leave."""
        self._is_parting = True
        self._reading.deadline = trio.current_time() + self._edge.settings.linger
        await self._client.send_eof()
        await self.protocol.handle(Closed())

    async def _set_idle(self, is_idle: bool) -> None:
        if is_idle and not self._client.lost.is_set():
            await self.idle_task.restart(self._task_group, self._idle_timeout)
        else:
            await self.idle_task.stop()

    async def _lose(self) -> None:
        """The client has left, or is treated as if it had: tell the app, close without waiting."""
        self._client.lost.set()
        self._reading.cancel()
        await self.protocol.handle(Closed())
        await self.idle_task.stop()
        self._client.close()
