"""Serve an ASGI app over HTTP/1.1, so that no client and no bug can hold the server up.

In: an ASGI app, listeners, a drain event. Out: returns when every connection is closed. Never:
prints, stops because of one connection, waits for a client longer than its settings say.

An edge makes a connection of a stream: our own, or hypercorn's, with TLS below or without. This
file owns what they share: listening, how many there are at once, the drain, and the guard around
each.
"""

from collections.abc import Sequence
from functools import partial

import trio

from kt.errors import UsageError
from kt.plan import Edge
from kt.runtime.edge.connection import LlhttpEdge
from kt.runtime.edge.making import Connection, Maker
from kt.runtime.edge.settings import ServeSettings
from kt.runtime.edge.tls import Contexts, TlsEdge
from kt.runtime.guard import Log, guarded
from kt.runtime.inbox import ASGIApp
from kt.transport.streams import close_now

__all__ = ["ServeSettings", "bound_port", "open_listeners", "serve"]

BACKLOG = 2048
"""Connections that the system keeps for us while we are busy; the default of 100 is one burst."""


def _edge(app: ASGIApp, settings: ServeSettings, log: Log, tls: Contexts | None) -> Maker:
    edge = _http_edge(app, settings, log)
    return edge if tls is None else TlsEdge(edge, tls, settings.handshake)


def _http_edge(app: ASGIApp, settings: ServeSettings, log: Log) -> Maker:
    if settings.edge is Edge.HYPERCORN:
        # Imported where it is wanted: hypercorn takes longer to load than all of our own edge.
        from kt.runtime.edge.hypercorn_edge import HypercornEdge

        return HypercornEdge(app, settings, log)
    return LlhttpEdge(app, settings, log)


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
    tls: Contexts | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `drain` is set and every connection is closed; the listeners are closed first.

    After `drain`, idle connections are closed at once, requests under way get `settings.drain`
    seconds and answers say `connection: close`; what is left then is cut. Cancelled from outside,
    it cuts everything at once. `log` gets a line for each exception of an app or a connection.
    """
    server = _Server(_edge(app, settings, log, tls), settings, log)
    async with trio.open_nursery() as outer:
        outer.start_soon(server.cut_when_drained, drain)
        async with trio.open_nursery() as connections:
            await server.accept_until(drain, listeners, connections, task_status)
        outer.cancel_scope.cancel()


class _Server:
    """What the connections of one `serve` share."""

    def __init__(self, edge: Maker, settings: ServeSettings, log: Log) -> None:
        self._edge = edge
        self._settings = settings
        self._log = log
        self._connections: set[Connection] = set()

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
        await self._edge.wind_up()
        for connection in self._connections:
            connection.wind_up()

    async def cut_when_drained(self, drain: trio.Event) -> None:
        try:
            await drain.wait()
            await trio.sleep(self._settings.drain)
        finally:
            self.cut()

    def cut(self) -> None:
        """End every connection."""
        for connection in self._connections:
            connection.cut()

    async def handle(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Serve one client; one too many is closed unheard."""
        if len(self._connections) >= self._settings.connections:
            close_now(stream)
            return
        connection = self._edge.open(stream)
        self._connections.add(connection)
        try:
            await guarded(connection.run, self._log)
        finally:
            self._connections.discard(connection)
