"""One client of a simulated world: sends its requests, reads what comes, behaves as it was told.

In: a visit and a connection. Out: what it heard. Never: a judgement of what it heard.
"""

import json

import trio

from kt.simulation.observed import Heard
from kt.simulation.pipes import Stream, close, reset, until_closed
from kt.simulation.provider import Tell
from kt.simulation.reading import SPOKEN, Unreadable, read_answers
from kt.simulation.schedule import Ask, Manner

GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
ENDING = frozenset({Manner.LEAVES, Manner.RESETS, Manner.HALF_CLOSES, Manner.STOPS_READING})
SLOW_PIECE, SLOW_PAUSE = 200, 0.5
DRIBBLES = 5
"""Into how many pieces a dribbled request is cut, a second before each."""


class Visitor:
    """A client with its connection."""

    def __init__(self, heard: Heard, stream: Stream, tell: Tell) -> None:
        self._heard = heard
        self._visit = heard.visit
        self._stream = stream
        self._tell = tell
        self._turns = [trio.Event() for _ in self._visit.asks]
        self._turns[0].set()

    async def run(self) -> None:
        """Come, ask, read, and be gone."""
        is_ending = self._visit.manner in ENDING
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            with trio.CancelScope() as scope:
                if is_ending and self._visit.patience is not None:
                    scope.deadline = trio.current_time() + self._visit.patience
                await self._read()
            if is_ending and not self._is_content():
                await self._end()
            nursery.cancel_scope.cancel()
        close(self._stream)
        self._tell("client", f"{self._visit.asks[0].id} is over")

    def _is_content(self) -> bool:
        return self._heard.is_ended or self._answers() >= len(self._visit.asks)

    async def _send(self) -> None:
        try:
            for ask, turn in zip(self._visit.asks, self._turns, strict=True):
                if not self._visit.pipelines:
                    await turn.wait()
                await self._send_one(_request(ask))
                self._heard.sent.append(ask.id)
                self._tell("client", f"has sent {ask.id}")
        except GONE:
            pass  # the reader sees why

    async def _send_one(self, data: bytes) -> None:
        if self._visit.manner is not Manner.DRIBBLES:
            await self._stream.send_all(data)
            return
        size = len(data) // DRIBBLES + 1
        for start in range(0, len(data), size):
            await trio.sleep(1.0)
            await self._stream.send_all(data[start : start + size])

    async def _read(self) -> None:
        """Read until every answer is here, the connection ends, or the manner begins."""
        heard, is_ending = self._heard, self._visit.manner in ENDING
        while not self._may_be_whole() or self._answers() < len(self._visit.asks):
            if is_ending and len(heard.received) >= self._visit.after and heard.sent:
                return
            if not (piece := await self._piece()):
                heard.is_ended = True
                self._tell("client", f"{self._visit.asks[0].id} is told that it is over")
                return
            heard.received += piece
            if self._may_be_whole():
                for turn in self._turns[: self._answers() + 1]:
                    turn.set()

    async def _piece(self) -> bytes:
        is_slow = self._visit.manner is Manner.SLOW
        if is_slow:
            await trio.sleep(SLOW_PAUSE)
        try:
            return bytes(await self._stream.receive_some(SLOW_PIECE if is_slow else None))
        except GONE:
            return b""

    def _may_be_whole(self) -> bool:
        """False is cheap: an answer in chunks ends in the empty one."""
        received = self._heard.received
        return received.endswith(b"0\r\n\r\n") or b"transfer-encoding: chunked" not in received

    def _answers(self) -> int:
        try:
            seen = read_answers(bytes(self._heard.received), is_ended=self._heard.is_ended)
        except Unreadable:
            return len(self._visit.asks)
        return sum(one.is_complete for one in seen)

    async def _end(self) -> None:
        """Do what the manner says."""
        manner = self._visit.manner
        self._tell("client", f"{self._visit.asks[0].id} {manner.value}")
        self._heard.left_at = trio.current_time()
        if manner is Manner.RESETS:
            reset(self._stream)
        elif manner is Manner.LEAVES:
            close(self._stream)
        elif manner is Manner.STOPS_READING:
            await until_closed(self._stream)
        else:
            self._stream.send_stream.close()
            while piece := await self._piece():
                self._heard.received += piece
            self._heard.is_ended = True


def _request(ask: Ask) -> bytes:
    more = {"stream": True} if ask.stream else {}
    said = {"model": "m", **SPOKEN[ask.path].ask(ask.text.whole), **more}
    body = json.dumps(said).encode()
    lines = [
        f"POST {ask.path} HTTP/1.1",
        "host: gateway.test",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"x-request-id: {ask.id}",
        *([f"x-user-id: {ask.user}"] if ask.user else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
