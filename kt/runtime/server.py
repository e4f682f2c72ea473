"""Serve an ASGI app over HTTP/1.1, so that no client and no bug can hold the server up.

In: an ASGI app, listeners, a drain event. Out: returns when every connection is closed. Never:
prints, stops because of one connection, waits for a client longer than its settings say.

Theory of operation. hypercorn parses and formats HTTP; this file owns the tasks and the waits. Per
connection there is a reader (bytes from the client), a parser (hypercorn's protocol, which may wait
for the app) and the app of the request under way. They are coupled by these rules:

* The reader ends when the client left, also by half: then the app hears `http.disconnect`, nothing
  is sent any more and the socket is closed. It goes on reading while the parser waits (a pipelined
  request), so that leaving is noticed then, too.
* A send is never cut by the app's cancel scope, since half a chunk would corrupt the answer. It is
  cut when the client took no bytes for `send` seconds, or when the drain is over: the connection is
  lost then. To the app a lost connection is one whose sends do nothing.
* `Inbox` never makes the end of an exchange wait behind body pieces that the app has not read;
  hypercorn's own queue does, and an app that answers early would wait for itself.

HTTP/2 by prior knowledge is answered 505; upgrades (h2c, WebSocket) are ignored as RFC 9110 allows,
so that the request is answered as the plain one that it is. h2 code is never reached.
"""

import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import attrs
import h11
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

from kt.errors import UsageError
from kt.runtime.guard import Log, guarded
from kt.runtime.inbox import ASGIApp, Inbox, Message

BACKLOG = 2048
"""Connections that the system keeps for us while we are busy; the default of 100 is one burst."""

READ = 2**16
"""The most bytes taken from a client at once."""

SLICE = 2**16
"""The most bytes that a client must take within `send` seconds."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: what was not sent yet is forgotten."""

SPOKEN = frozenset({b"1.0", b"1.1"})
"""The versions of HTTP that are answered."""


@attrs.frozen(kw_only=True)
class ServeSettings:
    """How long the server waits for whom, in seconds, and what it accepts."""

    keep_alive: float = 90.0
    """How long a connection may stay open without a complete request head."""
    send: float = 30.0
    """How long a client may refuse to take bytes before its connection is closed."""
    drain: float = 30.0
    """How long requests under way may take to end after the drain began."""
    linger: float = 2.0
    """How long what a client still sends is read after our last byte, so that it sees that byte."""
    head_bytes: int = 2**16
    requests_per_connection: int = 1_000_000


async def open_listeners(host: str, port: int) -> tuple[trio.SocketListener, ...]:
    """Bind and listen; port 0 takes a free one. Raises UsageError where that cannot be done."""
    hint = "choose another address, or stop the program that uses it"
    if not 0 <= port < 2**16:  # the system would take the lower 16 bits
        raise UsageError(f"cannot listen on {host}:{port}: there is no such port", hint)
    try:
        return tuple(await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG))
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}", hint) from error


def bound_port(listeners: Sequence[trio.SocketListener]) -> int:
    """The port that the first listener got."""
    port: int = listeners[0].socket.getsockname()[1]
    return port


async def serve(
    app: ASGIApp,
    listeners: Sequence[trio.abc.Listener[trio.abc.HalfCloseableStream]],
    *,
    settings: ServeSettings,
    drain: trio.Event,
    log: Log,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `drain` is set and every connection is closed; the listeners are closed first.

    After `drain`, idle connections are closed at once, requests under way get `settings.drain`
    seconds and answers say `connection: close`; what is left then is cut. Cancelled from outside,
    it cuts everything at once. `log` gets a line for each exception of an app or a connection.
    """
    server = _Server(app, settings, log)
    async with trio.open_nursery() as outer:
        outer.start_soon(server.cut_when_drained, drain)
        async with trio.open_nursery() as connections:
            await server.accept_until(drain, listeners, connections, task_status)
        outer.cancel_scope.cancel()


class _Server:
    """What the connections of one `serve` share."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, log: Log) -> None:
        self.app = app
        self.settings = settings
        self.log = log
        self.context = WorkerContext(None)
        self.config = _hypercorn_config(settings)
        self._connections: set[_Connection] = set()

    async def accept_until(
        self,
        drain: trio.Event,
        listeners: Sequence[trio.abc.Listener[trio.abc.HalfCloseableStream]],
        connections: trio.Nursery,
        task_status: trio.TaskStatus[None],
    ) -> None:
        accept = partial(trio.serve_listeners, handler_nursery=connections)
        try:
            async with trio.open_nursery() as accepting:
                await accepting.start(accept, self.handle, list(listeners))
                task_status.started()
                await drain.wait()
                accepting.cancel_scope.cancel()
        finally:
            if not drain.is_set():
                self.cut()
        await self.context.terminated.set()

    async def cut_when_drained(self, drain: trio.Event) -> None:
        try:
            await drain.wait()
            await trio.sleep(self.settings.drain)
        finally:
            self.cut()

    def cut(self) -> None:
        """End every connection. A cancel scope alone would wait for the shielded sends."""
        for connection in self._connections:
            connection.cut()

    async def handle(self, stream: trio.abc.HalfCloseableStream) -> None:
        connection = _Connection(self, stream)
        self._connections.add(connection)
        try:
            await guarded(connection.run, self.log)
        finally:
            self._connections.discard(connection)


def _hypercorn_config(settings: ServeSettings) -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.include_server_header = False
    config.include_date_header = False
    config.keep_alive_timeout = settings.keep_alive
    config.keep_alive_max_requests = settings.requests_per_connection
    config.h11_max_incomplete_size = settings.head_bytes
    return config


class _Apps(TaskGroup):
    """Runs the app once per request of a connection; replaces hypercorn's queue and its log."""

    def __init__(self, server: _Server, nursery: trio.Nursery) -> None:
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


class _Http1(H11Protocol):
    """HTTP/1.1 and nothing else, whatever the client asks to switch to."""

    async def _check_protocol(self, event: h11.Request) -> None:
        """Do nothing where hypercorn would switch to HTTP/2."""

    async def _create_stream(self, request: h11.Request) -> None:
        if request.http_version not in SPOKEN:
            await self._send_error_response(505)
            await self.send(Closed())
            return
        await super()._create_stream(_without_upgrade(request))


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


class _Connection(TCPServer):
    """One connection; see the theory of operation above."""

    _task_group: TaskGroup
    protocol: H11Protocol  # type: ignore[assignment]  # hypercorn's wrapper would offer HTTP/2

    def __init__(self, server: _Server, stream: trio.abc.HalfCloseableStream) -> None:
        super().__init__(
            server.app,  # type: ignore[arg-type]  # only `_Apps` calls it, in its own way
            server.config,
            server.context,
            ConnectionState({}),
            stream,  # type: ignore[arg-type]  # any stream that can be closed by half will do
        )
        self._server = server
        self._settings = server.settings
        self._life = trio.CancelScope()
        self._reading = trio.CancelScope()
        self._sending: trio.CancelScope | None = None
        self._is_parting = False
        self._is_over = False

    async def run(self) -> None:
        """Serve the connection to its end."""
        client, server = _addresses(self.stream)
        try:
            with self._life:
                async with trio.open_nursery() as nursery:
                    self._task_group = _Apps(self._server, nursery)
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
            await trio.aclose_forcefully(self.stream)

    def cut(self) -> None:
        """End everything of this connection now, shielded sends included."""
        self._is_over = True
        self._forget_unsent()
        self._life.cancel()
        if self._sending is not None:
            self._sending.cancel()

    async def _read_data(self) -> None:
        sender, receiver = trio.open_memory_channel[bytes](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._parse, receiver)
            with self._reading:
                while data := await self._receive():
                    if not self._is_parting:
                        await sender.send(data)
            nursery.cancel_scope.cancel()
        await self._lose()

    async def _receive(self) -> bytes:
        try:
            return bytes(await self.stream.receive_some(READ))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

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
        async with self.send_lock:
            if self._is_over or await self._is_taken(data):
                return
            self._forget_unsent()
        await self._lose()

    async def _is_taken(self, data: bytes) -> bool:
        """Hand bytes to the client; false if it left, or took none for `send` seconds."""
        with trio.CancelScope() as self._sending:
            try:
                for start in range(0, len(data), SLICE):
                    self._sending.deadline = trio.current_time() + self._settings.send
                    await self.stream.send_all(data[start : start + SLICE])
                return True
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return False
        return False

    async def _part(self) -> None:
        """Say that nothing more comes, and give the client `linger` seconds to leave."""
        self._is_parting = True
        self._reading.deadline = trio.current_time() + self._settings.linger
        # It may have left, or not take what it was sent: then the deadline above ends it.
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            await self.stream.send_eof()
        await self.protocol.handle(Closed())

    async def _set_idle(self, is_idle: bool) -> None:
        if is_idle and not self._is_over:
            await self.idle_task.restart(self._task_group, self._idle_timeout)
        else:
            await self.idle_task.stop()

    async def _lose(self) -> None:
        """The client has left, or is treated as if it had: tell the app, close without waiting."""
        self._is_over = True
        self._reading.cancel()
        await self.protocol.handle(Closed())
        await self.idle_task.stop()
        await trio.aclose_forcefully(self.stream)

    def _forget_unsent(self) -> None:
        """Let the close reset the connection: the system would keep trying to send for minutes."""
        stream: object = self.stream  # hypercorn's type for it leaves plain sockets out
        if isinstance(stream, trio.SocketStream):
            with suppress(OSError):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)


def _addresses(stream: object) -> tuple[tuple[str, int] | None, tuple[str, int] | None]:
    """The client's and our own address, where the stream has them."""
    if not isinstance(stream, trio.SocketStream):
        return None, None
    try:
        names = stream.socket.getpeername(), stream.socket.getsockname()
    except OSError:  # it left before we looked
        return None, None
    family = stream.socket.family
    return parse_socket_addr(family, names[0]), parse_socket_addr(family, names[1])
