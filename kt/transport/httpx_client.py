"""The same requests through httpx: the setting `transport: httpx`, and fake providers in tests.

httpx's own timeouts are off, so that the caller's cancel scopes are the one clock. Its exceptions
are mapped here, once.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import httpx
import trio

from kt.transport.client import Progress, Speech
from kt.transport.failures import AnswerCut, NoAnswer, NotConnected, TransportFailure
from kt.transport.messages import AnswerHead, Header, RequestHead
from kt.transport.pool import PoolLimits
from kt.transport.streams import Probes

CLOSE_SECONDS = 1.0
"""How long closing a connection may take; it is dropped after that."""


AnyTransport = httpx.AsyncBaseTransport
"""What can answer in place of the network."""


def httpx_transport(
    limits: PoolLimits, speech: Speech, probes: Probes | None
) -> httpx.AsyncHTTPTransport:
    """httpx's own connections; it knows no lifetime of a connection, and no total."""
    is_prior_knowledge = speech.is_http2 and speech.tls is None
    return httpx.AsyncHTTPTransport(
        verify=speech.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        http1=not is_prior_knowledge,
        http2=speech.is_http2,
        trust_env=False,
        limits=httpx.Limits(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_idle,
            keepalive_expiry=limits.idle,
        ),
        socket_options=[] if probes is None else probes.socket_options(),
    )


class HttpxReply:
    """An answer of httpx whose head is here."""

    has_piece = False

    def __init__(self, response: httpx.Response) -> None:
        fields = tuple((name.lower(), value) for name, value in response.headers.raw)
        self.head = AnswerHead(response.status_code, fields)
        self._response = response
        self._pieces: AsyncIterator[bytes] = response.aiter_raw()

    async def piece(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises AnswerCut."""
        try:
            return await anext(self._pieces, None)
        except httpx.TransportError as error:
            raise AnswerCut(str(error)) from None

    async def aclose(self) -> None:
        """Give the connection back, or close it where the answer was not read to its end."""
        with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_SECONDS):
            await self._unwind()
            await self._response.aclose()

    async def _unwind(self) -> None:
        """End httpx's nested generators: a cancelled read unwinds them, nothing else does."""
        with trio.CancelScope() as scope, suppress(httpx.TransportError):
            scope.cancel()
            while await anext(self._pieces, None) is not None:
                pass


class HttpxClient:
    """Connections that httpx keeps."""

    counts = None
    """It does not say how many there are."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=None,  # noqa: S113 - the caller's cancel scopes are the clock
            follow_redirects=False,
        )

    async def warm(self, connections: int, probe: RequestHead | None) -> None:
        """Ask so many times at once, where there is a probe: httpx opens nothing by itself."""
        if probe is None:
            return
        failures: list[TransportFailure] = []
        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(self._probe, probe, failures)
        for failure in failures:
            raise failure

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _probe(self, probe: RequestHead, failures: list[TransportFailure]) -> None:
        try:
            reply = await self.send(probe, (), b"", _Nobody())
        except TransportFailure as failure:
            failures.append(failure)
            return
        try:
            while await reply.piece() is not None:
                pass
        except TransportFailure as failure:
            failures.append(failure)
        finally:
            await reply.aclose()

    async def send(
        self, request: RequestHead, more: tuple[Header, ...], body: bytes, progress: Progress
    ) -> HttpxReply:
        """Ask, and wait for the head of the answer. Raises NotConnected or NoAnswer."""
        asked = self._client.build_request(
            request.method.decode(),
            request.url,
            content=body,
            headers=[*more, *request.headers],
        )
        opened: list[Any] = []  # Any: httpcore's streams
        is_connected = False

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            # httpcore says how far it is: a connection is ours once the head is being sent.
            nonlocal is_connected
            if event.endswith("connect_tcp.complete"):
                opened.append(info["return_value"])
            elif event.endswith("send_request_headers.started"):
                is_connected = True
                progress.on_connection()

        asked.extensions["trace"] = trace
        try:
            return HttpxReply(await self._client.send(asked, stream=True))
        except httpx.ConnectError:
            raise NotConnected("cannot be reached") from None
        except httpx.TransportError as error:
            raise NoAnswer(str(error)) from None
        finally:
            if not is_connected:
                await _close_all(opened)


class _Nobody:
    """Takes a transport's progress and does nothing with it."""

    def on_turn(self) -> None:
        pass

    def on_connection(self) -> None:
        pass


async def _close_all(streams: list[Any]) -> None:
    """Close what httpcore leaves open when it is cancelled during the TLS handshake."""
    with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_SECONDS):
        for stream in streams:
            await stream.aclose()
