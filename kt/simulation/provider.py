"""Every provider of a simulated world: opens connections, answers as the schedule says.

In: the schedule and chance. Out: what was asked and how each exchange went. Never: two answers to
one request.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from math import inf
from random import Random

import attrs
import trio

from kt.simulation.observed import Exchanged
from kt.simulation.pipes import Stream, close, connection, reset
from kt.simulation.schedule import Ask, Behavior, Dialing, Provided, Schedule
from kt.testing.behavior import Behavior as Scripted
from kt.testing.behavior import Echo, MockSettings
from kt.testing.scripts import Headers, Script, Step, answer_script
from kt.testing.shapes import SHAPES, Said
from kt.transport.failures import NotConnected

Tell = Callable[[str, str], None]
"""Who, what."""

SLOW_DIAL = 3.0
_HEAD_END = b"\r\n\r\n"
MORE = 3
"""Events behind the end of a provider that talks on."""


@attrs.frozen
class _Request:
    path: str
    headers: Mapping[str, str]
    body: bytes


class Providers:
    """All targets of one run."""

    def __init__(
        self, schedule: Schedule, chance: Random, nursery: trio.Nursery, tell: Tell
    ) -> None:
        self._schedule = schedule
        self._chance = chance
        self._nursery = nursery
        self._tell = tell
        self._asks = {ask.id: ask for ask in schedule.asks}
        self._attempts: Counter[str] = Counter()
        self.connections: list[Stream] = []
        """The gateway's ends."""
        self.exchanged: list[Exchanged] = []
        self.most_at_once = 0

    async def dial(self, host: str, _port: int, _tls: object) -> trio.abc.Stream:
        """Open a connection: a transport's `Dial`."""
        number = len(self.connections)
        what = self._schedule.dialing[number % len(self._schedule.dialing)]
        ours, theirs = connection(self._chance, self._schedule.room)
        self.connections.append(ours)
        self._tell("network", f"connection {number + 1}, to {host}, {what.value}")
        is_open = False
        try:
            await _dialed(what)
            is_open = True
        finally:
            if not is_open:
                close(ours)
        self._nursery.start_soon(self._serve, ours, theirs)
        return ours

    async def _serve(self, ours: Stream, theirs: Stream) -> None:
        buffered = bytearray()
        try:
            while (request := await _read_request(theirs, buffered)) is not None:
                if not await self._answer(request, ours, theirs):
                    break
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the gateway has closed it
        finally:
            close(theirs)

    async def _answer(self, request: _Request, ours: Stream, theirs: Stream) -> bool:
        """Whether the connection stays open."""
        ask = self._asks[request.headers["x-request-id"]]
        number = self._attempts[ask.id]
        self._attempts[ask.id] += 1
        provided = ask.attempt(number)
        exchanged = Exchanged(ask, provided, request.body, trio.current_time(), connection=ours)
        self.exchanged.append(exchanged)
        self._tell(
            "provider", f"gets {ask.id}, attempt {number + 1}; it is {provided.behavior.name}"
        )
        self.most_at_once = max(
            self.most_at_once, sum(one.over_at == inf for one in self.exchanged)
        )
        script = _script(ask, provided, request, len(self.exchanged))
        stays = False
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_when_closed, theirs, nursery.cancel_scope)
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    stays = await _play(script, provided, exchanged, theirs)
                nursery.cancel_scope.cancel()
        finally:
            end = "is left alone with" if exchanged.done_at is None else "has answered"
            self._tell("provider", f"{end} {ask.id}")
        return stays


async def _dialed(what: Dialing) -> None:
    await trio.lowlevel.checkpoint()
    if what is Dialing.REFUSED:
        raise NotConnected("cannot be reached")
    if what is Dialing.LOST:
        await trio.sleep_forever()
    if what is Dialing.SLOWLY:
        await trio.sleep(SLOW_DIAL)


async def _read_request(stream: Stream, buffered: bytearray) -> _Request | None:
    """The next request; None where the connection ends."""
    while b"\r\n\r\n" not in buffered:
        if not (piece := await stream.receive_some()):
            return None
        buffered += piece
    head, _, rest = bytes(buffered).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
    }
    size = int(headers["content-length"])
    while len(rest) < size:
        if not (piece := await stream.receive_some()):
            return None
        rest += piece
    buffered[:] = rest[size:]
    return _Request(first.split()[1], headers, rest[:size])


async def _cancel_when_closed(stream: Stream, scope: trio.CancelScope) -> None:
    """The gateway pipelines nothing: what it does during an answer is to close."""
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        if await stream.receive_some():
            raise AssertionError("a request before the answer to the last one has ended")
    scope.cancel()


def _script(ask: Ask, provided: Provided, request: _Request, number: int) -> Script:
    behavior = provided.behavior
    fault, _, value = (behavior.value if behavior.value.islower() else "").partition("=")
    scripted = Scripted(reply=ask.says.whole, echo=Echo.LAST, fault=fault or None, value=value)
    settings = MockSettings(chunks=provided.pieces, chunk_delay=provided.pause)
    shape = SHAPES[request.path]
    script = answer_script(shape, number, request.body, (), scripted, settings)
    if behavior is Behavior.TALKS_ON and ask.stream:
        more = shape.more(Said(number, {}, (), "", ()))
        return attrs.evolve(script, steps=(*script.steps, *(Step(0.0, more),) * MORE))
    return script


async def _play(script: Script, provided: Provided, exchanged: Exchanged, stream: Stream) -> bool:
    """Send an answer; whether the connection can be used again."""
    breaks = provided.behavior in (Behavior.RESET, Behavior.HANGS_UP)
    left = provided.after if breaks else inf
    exchanged.status = script.status
    for pause, data in _pieces(script, ends_with_connection=provided.ends_with_connection):
        await trio.sleep(pause)
        sent = data[: int(min(left, len(data)))]
        if exchanged.head_end is None and _HEAD_END in sent:
            before = stream.send_stream.pipe.sent
            exchanged.head_end = before + sent.index(_HEAD_END) + len(_HEAD_END)
        await stream.send_all(sent)
        left -= len(sent)
        if not left:
            break
    exchanged.done_at = trio.current_time()
    if provided.behavior is Behavior.RESET:
        reset(stream)
    is_stale = provided.behavior is Behavior.GOES_STALE
    return not (breaks or is_stale or script.is_cut or provided.ends_with_connection)


def _pieces(script: Script, *, ends_with_connection: bool) -> Iterator[tuple[float, bytes]]:
    """Seconds and the bytes that follow them; the head goes with the first ones."""
    has_size = any(name == "content-length" for name, _ in script.headers)
    is_chunked = not (has_size or ends_with_connection)
    head = _head(script.status, _framed(script.headers, is_chunked, ends_with_connection))
    for step in script.steps:
        chunk = b"%x\r\n%b\r\n" % (len(step.data), step.data) if step.data else b""
        yield step.pause, head + (chunk if is_chunked else step.data)
        head = b""
    if is_chunked and not script.is_cut:
        yield 0.0, b"0\r\n\r\n"


def _framed(headers: Headers, is_chunked: bool, ends: bool) -> Iterable[tuple[str, str]]:
    yield from (one for one in headers if not (ends and one[0] == "content-length"))
    if is_chunked:
        yield "transfer-encoding", "chunked"
    if ends:
        yield "connection", "close"


def _head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} Simulated", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode()
