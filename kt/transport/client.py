"""Requests to one origin: a place in the pool, a connection, one more try where that is safe.

Never: two tries of a request that the provider may have worked on.
"""

import ssl
from collections.abc import Callable
from functools import partial
from typing import Protocol

import attrs
import trio

from kt.transport.connection import Connection, Exchange
from kt.transport.failures import NoAnswer, TransportFailure
from kt.transport.http1 import Http1Connection
from kt.transport.http2 import Http2Connection
from kt.transport.messages import AnswerHead, Header, Origin, RequestHead
from kt.transport.pool import Member, Pool, PoolCounts, PoolLimits, Total
from kt.transport.streams import Dial, speaks_http2

STALE_SECONDS = 1.0
"""A connection that its peer had closed shows it within a round trip of the request. One that
breaks later carried the request to somebody who may have worked on it."""


PROBE_SIZE = 1024 * 1024
"""How much of a probe's answer is read; a connection with a longer one is not kept."""


class Progress(Protocol):
    """Who is told how far a request is."""

    def on_turn(self) -> None:
        """It has its turn: a connection, or the right to open one."""

    def on_connection(self) -> None:
        """The connection is there; from now on something is sent."""


class Reply:
    """An answer whose head is here. `aclose` it, however it ended."""

    __slots__ = ("_exchange", "_member", "_pool", "head")

    def __init__(self, exchange: Exchange, pool: Pool, member: Member) -> None:
        self.head: AnswerHead = exchange.head
        self._exchange = exchange
        self._pool = pool
        self._member: Member | None = member

    @property
    def has_piece(self) -> bool:
        """Whether `piece` has something to give at once."""
        return self._exchange.has_piece

    async def piece(self) -> bytes | None:
        """The next piece of the body, None at its end and after `aclose`. Raises AnswerCut."""
        # The connection may already carry somebody else's answer.
        return None if self._member is None else await self._exchange.piece()

    async def aclose(self) -> None:
        """Give the connection back, without waiting.

        It is used again only if the answer was read to its end.
        """
        member, self._member = self._member, None
        if member is not None:
            self._exchange.finish()
            self._pool.release(member)


@attrs.frozen(kw_only=True)
class Speech:
    """How an origin is spoken to."""

    tls: ssl.SSLContext | None = None
    """None: not over TLS."""
    is_http2: bool = False
    """Over TLS where the peer agrees; without TLS by prior knowledge."""


class Client:
    """The connections to one origin. HTTP/2 keeps its tasks in the nursery, until `aclose`."""

    def __init__(
        self,
        origin: Origin,
        limits: PoolLimits,
        total: Total,
        dial: Dial,
        nursery: trio.Nursery,
        speech: Speech,
    ) -> None:
        self._origin = origin
        self._dial = dial
        self._nursery = nursery
        self._speech = speech
        self._pool = Pool(limits, total, is_shared=speech.is_http2)

    @property
    def counts(self) -> PoolCounts:
        """The connections, now."""
        return self._pool.counts

    async def send(
        self, request: RequestHead, more: tuple[Header, ...], body: bytes, progress: Progress
    ) -> Reply:
        """Ask, and wait for the head of the answer.

        Raises NotConnected if nothing was sent, NoAnswer if the connection broke, ValueError for
        a header that cannot be sent. A cancelled exchange's connection is closed at once.
        """
        member = await self._pool.acquire()
        progress.on_turn()
        is_kept = member is not None
        if member is None:
            member = await self._open()
        progress.on_connection()
        first = partial(_may_repeat, is_kept=is_kept, asked=trio.current_time())
        reply = await self._ask(member, request, more, body, first)
        while reply is None:  # once at most: what is asked again is never repeated
            member = await self._another(member)
            reply = await self._ask(member, request, more, body, _never)
        return reply

    async def warm(self, connections: int, probe: RequestHead | None) -> None:
        """Open so many connections at once, and ask each one where there is a probe.

        Raises NotConnected or NoAnswer where one failed; the others are kept.
        """
        held: list[Member] = []
        failures: list[TransportFailure] = []

        async def open_one() -> None:
            member = await self._pool.acquire()
            try:
                held.append(await self._open() if member is None else member)
                if probe is not None:
                    await self._probe(held[-1], probe)
            except TransportFailure as failure:
                failures.append(failure)

        try:
            async with trio.open_nursery() as nursery:
                for _ in range(connections):
                    nursery.start_soon(open_one)
        finally:
            # Only now, so that each task found none to share.
            for member in held:
                self._pool.release(member)
        for failure in failures:
            raise failure

    async def aclose(self) -> None:
        """Close every connection, without waiting."""
        self._pool.close()

    async def _ask(
        self,
        member: Member,
        request: RequestHead,
        more: tuple[Header, ...],
        body: bytes,
        may_repeat: Callable[[NoAnswer], bool],
    ) -> Reply | None:
        """None: it failed in a way that may be repeated, and the member is still ours."""
        exchange: Exchange | None = None
        is_repeated = False
        try:
            exchange = await member.connection.send(request, more, body)
        except NoAnswer as failure:
            is_repeated = may_repeat(failure)
            if not is_repeated:
                raise
        finally:
            if exchange is None and not is_repeated:
                self._pool.release(member)
        return None if exchange is None else Reply(exchange, self._pool, member)

    async def _probe(self, member: Member, probe: RequestHead) -> None:
        exchange = await member.connection.send(probe, (), b"")
        try:
            size = 0
            while size <= PROBE_SIZE and (piece := await exchange.piece()) is not None:
                size += len(piece)
        finally:
            exchange.finish()

    async def _another(self, member: Member) -> Member:
        """A connection in place of one that broke, in its place where that is free."""
        kept = None if self._pool.renew(member) else await self._pool.acquire()
        return await self._open() if kept is None else kept

    async def _open(self) -> Member:
        connection: Connection | None = None
        try:
            connection = await self._connect()
        finally:
            if connection is None:
                self._pool.failed()
        return self._pool.connected(connection)

    async def _connect(self) -> Connection:
        origin, speech = self._origin, self._speech
        stream = await self._dial(origin.host, origin.port, speech.tls)
        is_agreed = speech.tls is None or speaks_http2(stream)
        if not (speech.is_http2 and is_agreed):
            return Http1Connection(stream)
        connection = Http2Connection(stream)
        is_started = False
        try:
            await connection.start(self._nursery)
            is_started = True
        finally:
            if not is_started:
                connection.close()
        return connection


def _may_repeat(failure: NoAnswer, *, is_kept: bool, asked: float) -> bool:
    """Whether the provider cannot have worked on the request (decision 020)."""
    is_soon = trio.current_time() - asked <= STALE_SECONDS
    return failure.is_refused or (is_kept and failure.is_untouched and is_soon)


def _never(_failure: NoAnswer) -> bool:
    return False
