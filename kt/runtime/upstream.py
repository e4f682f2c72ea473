"""Connections to providers: the only room that knows httpx.

Deadlines are cancel scopes of ours: one scope watches `connect` until a connection is there, then
`first_byte` until the answer's head is. httpx's own timeouts are off, so that there is one clock.
Its exceptions are mapped here, once.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import attrs
import httpx
import trio

from kt.errors import GatewayError
from kt.plan import Target, Timeouts

RETURNED_HEADERS = ("retry-after", "retry-after-ms")
RETURNED_PREFIX = "x-ratelimit-"

CLOSE_SECONDS = 1.0
"""How long closing a connection may take; it is dropped after that."""


class TargetUnavailable(Exception):
    """Nothing was sent to this target, so the next one may be tried; `error` is its reason."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(error.message)
        self.error = error


@attrs.define
class Waiting:
    """When the parts of one upstream exchange happened, in trio seconds."""

    started: float
    connected: float | None = None
    answered: float | None = None


@attrs.define
class Answer:
    """An upstream answer whose head is here and whose body is still to be read."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    """What of the provider's headers the client may see."""
    content_type: str
    waiting: Waiting
    waited: float = 0.0
    """Seconds spent waiting for pieces of the body."""
    _source: AsyncIterator[bytes] = attrs.field(kw_only=True)
    _inter_chunk: float = attrs.field(kw_only=True)

    async def piece(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises GatewayError on a stall or a cut."""
        since = trio.current_time()
        try:
            with trio.move_on_after(self._inter_chunk):
                return await anext(self._source, None)
        except httpx.TransportError:
            raise GatewayError("upstream_cut", "the provider's answer was cut off") from None
        finally:
            self.waited += trio.current_time() - since
        raise GatewayError("inter_chunk_timeout", "the provider's answer stalled")

    async def whole(self, limit: int) -> bytes:
        """The complete body. Raises GatewayError where it is larger than `limit` bytes."""
        body = bytearray()
        while (piece := await self.piece()) is not None:
            body += piece
            if len(body) > limit:
                raise GatewayError("bad_response", "the provider's answer is larger than allowed")
        return bytes(body)

    async def read_to_end(self) -> None:
        """Read what follows the answer's own end, so that the connection can be used again."""
        with trio.move_on_after(CLOSE_SECONDS):
            while await self.piece() is not None:
                pass

    async def abandon(self) -> None:
        """Stop reading. The client library's nested generators are unwound by a cancelled read."""
        with trio.CancelScope() as scope, suppress(httpx.TransportError):
            scope.cancel()
            while await anext(self._source, None) is not None:
                pass


class Upstream:
    """The connections to one target."""

    def __init__(
        self,
        target: Target,
        secret: str | None,
        timeouts: Timeouts,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.target = target
        self._timeouts = timeouts
        self._secret = secret
        self._client = httpx.AsyncClient(
            transport=transport or _transport(target),
            trust_env=False,
            timeout=None,  # noqa: S113 - our cancel scopes are the clock
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"<Upstream {self.target.id} {self.target.base_url}>"

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def ask(
        self, path: str, headers: Mapping[bytes, bytes], body: bytes
    ) -> AsyncIterator[Answer]:
        """Send a request; the answer's connection is closed or returned when the block is left.

        Raises TargetUnavailable if nothing was sent, GatewayError if the answer did not come.
        Cancellation closes the connection at once.
        """
        request = self._client.build_request(
            "POST", self.target.base_url + path, content=body, headers=self._headers(headers)
        )
        waiting = Waiting(started=trio.current_time())
        response = await self._send(request, waiting)
        answer = self._answer(response, waiting)
        try:
            _demand_plain(response)
            yield answer
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_SECONDS):
                await answer.abandon()
                await response.aclose()

    def _headers(self, headers: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        own = {b"content-type": b"application/json", b"accept-encoding": b"identity"}
        if self._secret is not None:
            key = self.target.api_key_prefix + self._secret
            own[self.target.api_key_header.encode()] = key.encode()
        return {**headers, **own}

    async def _send(self, request: httpx.Request, waiting: Waiting) -> httpx.Response:
        connect, first_byte = self._timeouts.connect.seconds, self._timeouts.first_byte.seconds
        scope = trio.CancelScope(deadline=waiting.started + connect)
        opened: list[Any] = []  # Any: httpcore's streams

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            # httpcore reports its progress here: a connection is ours once the head is being sent.
            if event.endswith("connect_tcp.complete"):
                opened.append(info["return_value"])
            elif event.endswith("send_request_headers.started"):
                waiting.connected = trio.current_time()
                scope.deadline = waiting.connected + first_byte

        request.extensions["trace"] = trace
        try:
            with scope:
                return await self._sent(request, waiting)
        finally:
            if waiting.connected is None:
                await _close_all(opened)
        if waiting.connected is None:
            raise TargetUnavailable(
                GatewayError("connect_timeout", f"connecting to '{self.target.id}' took too long")
            )
        raise GatewayError("first_byte_timeout", f"'{self.target.id}' did not answer in time")

    async def _sent(self, request: httpx.Request, waiting: Waiting) -> httpx.Response:
        try:
            response = await self._client.send(request, stream=True)
        except httpx.ConnectError:
            raise TargetUnavailable(
                GatewayError("connect_failed", f"'{self.target.id}' cannot be reached")
            ) from None
        except httpx.TransportError:
            raise GatewayError(
                "bad_response", f"'{self.target.id}' broke the connection instead of answering"
            ) from None
        waiting.answered = trio.current_time()
        return response

    def _answer(self, response: httpx.Response, waiting: Waiting) -> Answer:
        return Answer(
            status=response.status_code,
            headers=tuple(
                (name.lower(), value)
                for name, value in response.headers.raw
                if _is_returned(name.decode("latin-1").lower())
            ),
            content_type=_content_type(response),
            waiting=waiting,
            source=response.aiter_raw(),
            inter_chunk=self._timeouts.inter_chunk.seconds,
        )


async def _close_all(streams: list[Any]) -> None:
    """Close what httpcore leaves open when it is cancelled during the TLS handshake."""
    with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_SECONDS):
        for stream in streams:
            await stream.aclose()


def _demand_plain(response: httpx.Response) -> None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise GatewayError("bad_response", "the provider encoded its answer unasked")


def _content_type(response: httpx.Response) -> str:
    # NOT: response.headers, which guesses an encoding; this one can always be turned back.
    values = (value for name, value in response.headers.raw if name.lower() == b"content-type")
    return next(values, b"").decode("latin-1")


def _is_returned(name: str) -> bool:
    return name in RETURNED_HEADERS or name.startswith(RETURNED_PREFIX)


def _transport(target: Target) -> httpx.AsyncHTTPTransport:
    pool = target.pool
    return httpx.AsyncHTTPTransport(
        trust_env=False,
        limits=httpx.Limits(
            max_connections=pool.max_connections,
            max_keepalive_connections=pool.max_idle,
            keepalive_expiry=pool.idle.seconds,
        ),
    )
