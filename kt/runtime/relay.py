"""Carry a streamed answer from its provider to its client: how much at once, and when.

In: the provider's pieces. Out: what its judge lets go on, in as few sends as the pace allows.
Never: judges, sends what is not judged, lets one stream keep the others from running.

Theory of operation. A piece is judged in parts of a quantum's size, and after each quantum
everybody else has a turn, however much the provider has sent and however tiny its events are. What
a part releases goes out in one send, or is gathered until the plan's size or time is reached; the
time needs no task, since it ends the wait for the next piece. Nothing is read while the client
takes what it was sent, so a client that reads slowly slows its provider.

Rules of this file: what is gathered is judged, so it goes out before an error frame; but where the
pace lets text wait and none was sent yet, it is dropped, and the client gets a plain refusal.
"""

import math
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import attrs
import trio

from kt.errors import GatewayError
from kt.plan import Plan

QUANTUM = 4096
"""Bytes of an answer that are judged in one turn: some twenty events of a chat."""
PIECE_COST = 64
"""What a piece counts at least, in bytes."""
GATHERED = 65536
"""The most that is gathered where only a time is given."""


class Pieces(Protocol):
    """Where the provider's bytes come from (`Answer`)."""

    async def piece(self, until: float) -> bytes | None:
        """The next piece, None at the end; empty if none came `until` then."""


class Judge(Protocol):
    """What decides which bytes may go on (`AnswerStream`)."""

    @property
    def is_done(self) -> bool:
        """Whether the answer has ended."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Frames that may go to the client now. Raises GatewayError."""

    def end(self) -> Iterator[bytes]:
        """The provider's body has ended. Raises GatewayError if the answer has not."""


@attrs.frozen
class Pace:
    """How long what may go on waits for more: bytes, seconds, whichever is reached first."""

    size: float = 0.0
    seconds: float = math.inf
    limit: float = math.inf
    """More bytes than this are never gathered."""


AT_ONCE = Pace()


def pace_of(plan: Plan) -> Pace:
    """The pace of a plan."""
    if plan.keep_answer_whole:
        return Pace(math.inf, limit=plan.sizes.response_body.value)
    size, flush = plan.streaming.gathered, plan.streaming.flush
    if flush is None:
        return AT_ONCE if size is None else Pace(size.value)
    return Pace(GATHERED if size is None else size.value, flush.seconds)


class Relay:
    """One streamed answer on its way."""

    def __init__(
        self,
        judge: Judge,
        pieces: Pieces,
        send: Callable[[bytes], Awaitable[None]],
        pace: Pace = AT_ONCE,
    ) -> None:
        self._judge = judge
        self._pieces = pieces
        self._send = send
        self._pace = pace
        self._gathered: list[bytes] = []
        self._size = 0
        self._due = math.inf
        """When the first of what is gathered has waited long enough."""
        self._turn = 0
        """Bytes judged since the others had a turn."""
        self._has_begun = False

    def __repr__(self) -> str:
        return f"<Relay {self._size} bytes gathered>"

    async def run(self) -> None:
        """Relay up to the answer's own end. Raises GatewayError where it must end before."""
        try:
            while not self._judge.is_done:
                await self._relay(await self._pieces.piece(self._due))
        except GatewayError:
            if self._has_begun or self._pace == AT_ONCE:
                await self._flush()
            raise
        await self._flush()

    async def _relay(self, piece: bytes | None) -> None:
        if piece is None:
            await self._gather(self._judge.end())
            return
        for start in range(0, len(piece), QUANTUM):
            part = piece if len(piece) <= QUANTUM else piece[start : start + QUANTUM]
            await self._gather(self._judge.feed(part))
            await self._take_turns(len(part))
        if trio.current_time() >= self._due:
            await self._flush()

    async def _gather(self, frames: Iterator[bytes]) -> None:
        for frame in frames:
            if frame and not self._gathered:
                self._due = trio.current_time() + self._pace.seconds
            self._gathered.append(frame)
            self._size += len(frame)
            if self._size > self._pace.limit:
                raise GatewayError("bad_response", "the provider's answer is larger than allowed")
        if self._size >= self._pace.size:
            await self._flush()

    async def _flush(self) -> None:
        data = b"".join(self._gathered)
        self._gathered.clear()
        self._size, self._due = 0, math.inf
        if data:
            self._has_begun = True
            await self._send(data)

    async def _take_turns(self, size: int) -> None:
        self._turn += max(size, PIECE_COST)
        if self._turn >= QUANTUM:
            self._turn = 0
            await trio.lowlevel.checkpoint()
