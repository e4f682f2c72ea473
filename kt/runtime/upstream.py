"""One provider, asked within deadlines: what a transport does becomes an answer or a refusal.

Deadlines are cancel scopes of ours: one scope watches `connect` until a connection is there, then
`first_byte` until the answer's head is. Failures of the transport are mapped here, once.
"""

import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import attrs
import trio

from kt.errors import GatewayError, UsageError
from kt.plan import Target, Timeouts
from kt.routing.course import BROKEN, NO_HEAD, Failure
from kt.transport.client import Progress
from kt.transport.failures import AnswerCut, NotConnected, TransportFailure
from kt.transport.messages import AnswerHead, Header, Origin, RequestHead
from kt.transport.pool import PoolCounts

RETURNED_HEADERS = frozenset({b"retry-after", b"retry-after-ms"})
RETURNED_PREFIX = b"x-ratelimit-"

_NUMBER = re.compile(rb"[0-9]{1,9}(?:\.[0-9]{1,9})?")

_CLIENTS = frozenset({b"accept", b"content-type"})
"""What a client says of a body that nobody reads."""

DRAIN_SECONDS = 1.0
"""How long an answer's own end is waited for, so that its connection can be used again."""


class TargetUnavailable(Exception):
    """Nothing was sent to this target, so the next one may be tried; `error` is its reason."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(error.message)
        self.error = error


class Unanswered(GatewayError):
    """The target has the request and gave no head of an answer: it may have acted on it."""

    def __init__(self, code: str, message: str, failure: Failure) -> None:
        super().__init__(code, message)
        self.failure = failure


class Reply(Protocol):
    """What a transport gives: an answer whose head is here."""

    head: AnswerHead

    @property
    def has_piece(self) -> bool:
        """Whether `piece` has something to give at once."""

    async def piece(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises AnswerCut."""

    async def aclose(self) -> None:
        """Give the connection back, or close it where the answer was not read to its end."""


class Transport(Protocol):
    """The connections to one target, ours or httpx's."""

    @property
    def counts(self) -> PoolCounts | None:
        """How many there are; None where that is not known."""

    async def send(
        self, request: RequestHead, more: tuple[Header, ...], body: bytes, progress: Progress
    ) -> Reply:
        """Ask, and wait for the head of the answer. Raises NotConnected or NoAnswer."""

    async def warm(self, connections: int, probe: RequestHead | None) -> None:
        """Open connections ahead, and try them. Raises TransportFailure where one failed."""

    async def aclose(self) -> None:
        """Close every connection."""


@attrs.define
class Waiting:
    """When the parts of one upstream exchange happened, in trio seconds."""

    started: float
    turned: float | None = None
    """When there was a connection, or leave to open one."""
    connected: float | None = None
    answered: float | None = None

    @property
    def seconds(self) -> float:
        """How long the head of the answer took, 0 while it is not here."""
        return 0.0 if self.answered is None else self.answered - self.started


@attrs.frozen
class _Clock:
    """Notes how far a request is, and moves its deadline: a transport's `Progress`."""

    waiting: Waiting
    scope: trio.CancelScope
    first_byte: float

    def on_turn(self) -> None:
        self.waiting.turned = trio.current_time()

    def on_connection(self) -> None:
        self.waiting.connected = trio.current_time()
        self.scope.deadline = self.waiting.connected + self.first_byte


@attrs.define
class Answer:
    """An upstream answer whose head is here and whose body is still to be read."""

    status: int
    headers: tuple[Header, ...]
    """What of the provider's headers the client may see."""
    content_type: str
    waiting: Waiting
    waited: float = 0.0
    """Seconds spent waiting for pieces of the body."""
    _reply: Reply = attrs.field(kw_only=True)
    _inter_chunk: float = attrs.field(kw_only=True)
    _gap: float = 0.0
    """Seconds spent waiting for the next piece so far."""

    @property
    def advised(self) -> float | None:
        """Seconds that the provider asks to be left alone; None where it does not say so."""
        given = dict(self.headers)
        for name, unit in ((b"retry-after-ms", 0.001), (b"retry-after", 1.0)):
            if _NUMBER.fullmatch(given.get(name, b"")):
                return float(given[name]) * unit
        return None

    async def piece(self, until: float = math.inf) -> bytes | None:
        """The next piece of the body, None at its end; empty if none came `until` then.

        Raises GatewayError on a stall or a cut. Only our own transport can be asked `until`.
        """
        if self._reply.has_piece:
            return await self._next()
        since = trio.current_time()
        stalls = since + self._inter_chunk - self._gap
        try:
            with trio.CancelScope(deadline=min(until, stalls)):
                piece = await self._next()
                self._gap = 0.0
                return piece
        finally:
            self.waited += trio.current_time() - since
        self._gap += trio.current_time() - since
        if until < stalls:
            return b""
        raise GatewayError("inter_chunk_timeout", "the provider's answer stalled")

    async def _next(self) -> bytes | None:
        try:
            return await self._reply.piece()
        except AnswerCut:
            raise GatewayError("upstream_cut", "the provider's answer was cut off") from None

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
        with trio.move_on_after(DRAIN_SECONDS):
            while await self.piece() is not None:
                pass


class Upstream:
    """One target and the connections to it."""

    def __init__(
        self, target: Target, secret: str | None, timeouts: Timeouts, transport: Transport
    ) -> None:
        self.target = target
        self._timeouts = timeouts
        self._transport = transport
        self._headers = _own_headers(target, secret)
        self._own_names = frozenset(name.lower() for name, _ in self._headers)
        self._heads: dict[str, RequestHead] = {}
        """Path -> what is sent every time; the paths are those that the gateway serves."""
        try:
            self._head("/")
        except ValueError:
            message = f"the key of '{target.id}' cannot be sent in a header"
            raise UsageError(message, "it must be one line of printable characters") from None

    def __repr__(self) -> str:
        return f"<Upstream {self.target.id} {self.target.base_url}>"

    @property
    def counts(self) -> PoolCounts | None:
        """The connections, now; None where httpx keeps them."""
        return self._transport.counts

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def warm(self, connections: int, probe: str | None) -> None:
        """Open connections ahead, within `connect` and for a probe `first_byte`.

        Raises as `ask` does where one failed; the others are kept.
        """
        head = None if probe is None else self._request_head(b"GET", probe)
        limits = (self._timeouts.connect, self._timeouts.first_byte)
        with trio.move_on_after(sum(limit.seconds for limit in limits)):
            with self._failures_mapped():
                await self._transport.warm(connections, head)
            return
        raise GatewayError("connect_timeout", f"'{self.target.id}' did not answer in time")

    @asynccontextmanager
    async def ask(
        self, path: str, headers: Mapping[bytes, bytes], body: bytes
    ) -> AsyncIterator[Answer]:
        """Send a request; the answer's connection is closed or returned when the block is left.

        Raises TargetUnavailable if nothing was sent, Unanswered if no head of an answer came, and
        GatewayError for a head that is none for us.
        Cancellation closes the connection at once.
        """
        more = tuple(field for field in headers.items() if field[0] not in self._own_names)
        async with self._asked(self._head(path), more, body) as answer:
            yield answer

    @asynccontextmanager
    async def forward(
        self, method: bytes, path: str, headers: Mapping[bytes, bytes], body: bytes
    ) -> AsyncIterator[Answer]:
        """Send a request that is not ours: as `ask` does, but with the client's content type."""
        head = self._request_head(method, path)
        is_given = headers.keys() & _CLIENTS
        own = tuple(field for field in head.headers if field[0] not in is_given)
        names = {name for name, _ in own}
        more = tuple(field for field in headers.items() if field[0] not in names)
        async with self._asked(attrs.evolve(head, headers=own), more, body) as answer:
            yield answer

    @asynccontextmanager
    async def _asked(
        self, head: RequestHead, more: tuple[Header, ...], body: bytes
    ) -> AsyncIterator[Answer]:
        waiting = Waiting(started=trio.current_time())
        reply = await self._send(head, more, body, waiting)
        try:
            yield self._answer(reply, waiting)
        finally:
            await reply.aclose()

    def _head(self, path: str) -> RequestHead:
        if path not in self._heads:
            self._heads[path] = self._request_head(b"POST", path)
        return self._heads[path]

    def _request_head(self, method: bytes, path: str) -> RequestHead:
        """What is the same in every request to a path below the base URL."""
        base = self.target.base_url
        rest = base.partition("://")[2].partition("/")[2]
        whole = f"/{rest}{path}" if rest else path
        return RequestHead(Origin.of(base), method, whole.encode(), self._headers)

    async def _send(
        self, head: RequestHead, more: tuple[Header, ...], body: bytes, waiting: Waiting
    ) -> Reply:
        timeouts = self._timeouts
        scope = trio.CancelScope(deadline=waiting.started + timeouts.connect.seconds)
        clock = _Clock(waiting, scope, timeouts.first_byte.seconds)
        with scope, self._failures_mapped():
            reply = await self._transport.send(head, more, body, clock)
            waiting.answered = trio.current_time()
            return reply
        if waiting.connected is None:
            raise TargetUnavailable(
                GatewayError("connect_timeout", f"connecting to '{self.target.id}' took too long")
            )
        message = f"'{self.target.id}' did not answer in time"
        raise Unanswered("first_byte_timeout", message, NO_HEAD)

    @contextmanager
    def _failures_mapped(self) -> Iterator[None]:
        try:
            yield
        except NotConnected as failure:
            raise TargetUnavailable(
                GatewayError("connect_failed", f"'{self.target.id}' {failure}")
            ) from None
        except TransportFailure:
            message = f"'{self.target.id}' broke the connection instead of answering"
            raise Unanswered("bad_response", message, BROKEN) from None

    def _answer(self, reply: Reply, waiting: Waiting) -> Answer:
        returned: list[Header] = []
        content_type = b""
        for name, value in reply.head.headers:
            if name in RETURNED_HEADERS or name.startswith(RETURNED_PREFIX):
                returned.append((name, value))
            elif name == b"content-type":
                content_type = content_type or value
            elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise GatewayError("bad_response", "the provider encoded its answer unasked")
        return Answer(
            status=reply.head.status,
            headers=tuple(returned),
            content_type=content_type.decode("latin-1"),
            waiting=waiting,
            reply=reply,
            inter_chunk=self._timeouts.inter_chunk.seconds,
        )


def _own_headers(target: Target, secret: str | None) -> tuple[Header, ...]:
    """What every request carries, whatever the client sent; the key comes last and wins."""
    own = {
        b"content-type": b"application/json",
        b"accept": b"*/*",
        b"accept-encoding": b"identity",
        b"user-agent": b"kt",
    }
    if secret is not None:
        own[target.api_key_header.lower().encode()] = (target.api_key_prefix + secret).encode()
    return tuple(own.items())
