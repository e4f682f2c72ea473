"""Our connections under httpx: a transport for clients that are written against httpx.

httpx's timeouts hold: `pool` until there is a turn, `connect` until there is a connection, `read`
until the next thing comes. httpx's rules about bodies, redirects and decoding stay its own.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from math import inf

import httpx
import trio

from kt.transport.client import Client, Reply
from kt.transport.failures import AnswerCut, NoAnswer, NotConnected
from kt.transport.messages import Origin, RequestHead

_OURS = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection"})
"""Headers that the connection writes itself."""


class _Timeouts:
    """One exchange's clock, moved as it gets on."""

    def __init__(self, seconds: Mapping[str, float | None]) -> None:
        self._seconds = seconds
        self.phase = "pool"
        self.scope = trio.CancelScope()
        self.enter("pool")

    def on_turn(self) -> None:
        """The connection is looked for no longer."""
        self.enter("connect")

    def on_connection(self) -> None:
        """The request is being sent."""
        self.enter("read")

    def enter(self, phase: str) -> None:
        """Begin a phase."""
        self.phase = phase
        self.scope.deadline = trio.current_time() + self.seconds(phase)

    def seconds(self, phase: str) -> float:
        """How long a phase may take."""
        given = self._seconds.get(phase)
        return inf if given is None else given

    def error(self) -> httpx.TimeoutException:
        """The exception for the phase that took too long."""
        kinds = {"pool": httpx.PoolTimeout, "connect": httpx.ConnectTimeout}
        return kinds.get(self.phase, httpx.ReadTimeout)("it took too long")


class _Body(httpx.AsyncByteStream):
    def __init__(self, reply: Reply, seconds: float) -> None:
        self._reply = reply
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._piece()) is not None:
            yield piece

    async def _piece(self) -> bytes | None:
        try:
            with trio.move_on_after(self._seconds):
                return await self._reply.piece()
        except AnswerCut as error:
            raise httpx.RemoteProtocolError(str(error)) from None
        raise httpx.ReadTimeout("it took too long")

    async def aclose(self) -> None:
        await self._reply.aclose()


class KtTransport(httpx.AsyncBaseTransport):
    """An httpx transport; `open_client` makes the client of an origin when it is first asked."""

    def __init__(self, open_client: Callable[[Origin], Client]) -> None:
        self._open_client = open_client
        self._clients: dict[Origin, Client] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask. Raises httpx's exceptions."""
        body = await request.aread()
        head = _head_of(request)
        timeouts = _Timeouts(request.extensions.get("timeout", {}))
        try:
            with timeouts.scope:
                reply = await self._client(head.origin).send(head, (), body, timeouts)
                return _response(reply, timeouts.seconds("read"))
        except NotConnected as error:
            raise httpx.ConnectError(str(error), request=request) from None
        except NoAnswer as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from None
        raise timeouts.error()

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    def _client(self, origin: Origin) -> Client:
        if origin not in self._clients:
            self._clients[origin] = self._open_client(origin)
        return self._clients[origin]


def _head_of(request: httpx.Request) -> RequestHead:
    fields = tuple(
        (name, value) for name, value in request.headers.raw if name.lower() not in _OURS
    )
    origin = Origin.of(str(request.url))
    try:
        return RequestHead(origin, request.method.encode(), request.url.raw_path, fields)
    except ValueError as error:
        raise httpx.LocalProtocolError(str(error), request=request) from None


def _response(reply: Reply, seconds: float) -> httpx.Response:
    headers: list[tuple[bytes, bytes]] = list(reply.head.headers)
    return httpx.Response(reply.head.status, headers=headers, stream=_Body(reply, seconds))
