"""Requests over a network in memory: reuse, one more try where it is safe, cancellation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from kt.transport import client as client_module
from kt.transport.client import Client, Reply, Speech
from kt.transport.failures import AnswerCut, NoAnswer, NotConnected
from kt.transport.http1 import Http1Connection
from kt.transport.pool import PoolCounts, PoolLimits, Total
from tests.support.gateways import run_in_virtual_time
from tests.support.wires import (
    HEAD,
    ORIGIN,
    MemoryNetwork,
    Server,
    Times,
    answering,
    read_request,
)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
NONE = PoolCounts(connecting=0, idle=0, in_use=0, waiting=0)
IDLE = PoolCounts(connecting=0, idle=1, in_use=0, waiting=0)


@asynccontextmanager
async def connected(
    server: Server, most: int = 2, **network: float
) -> AsyncIterator[tuple[Client, MemoryNetwork]]:
    """A client of one server."""
    async with trio.open_nursery() as nursery:
        memory = MemoryNetwork(server, nursery, **network)  # type: ignore[arg-type]
        limits = PoolLimits(max_connections=most, max_idle=most, idle=90.0)
        client = Client(ORIGIN, limits, Total(), memory.dial, nursery, Speech())
        yield client, memory
        await client.aclose()
        nursery.cancel_scope.cancel()


async def ask(client: Client, times: Times | None = None) -> Reply:
    """One request."""
    return await client.send(HEAD, ((b"x-n", b"1"),), b"body", times or Times())


async def body_of(reply: Reply) -> bytes:
    """The rest of an answer, and its connection given back."""
    body = b""
    try:
        while (piece := await reply.piece()) is not None:
            body += piece
    finally:
        await reply.aclose()
    return body


def test_a_whole_answer_gives_its_connection_back() -> None:
    async def main() -> None:
        async with connected(answering(OK)) as (client, network):
            for _ in range(3):
                reply = await ask(client)
                assert reply.head.status == 200
                assert await body_of(reply) == b"hi"
                assert client.counts == IDLE
            assert len(network.opened) == 1

    run_in_virtual_time(main)


def test_an_answer_that_was_given_back_says_nothing_more() -> None:
    async def main() -> None:
        async with connected(answering(OK)) as (client, _):
            first = await ask(client)
            await body_of(first)
            second = await ask(client)
            assert await first.piece() is None
            await first.aclose()
            assert await body_of(second) == b"hi"

    run_in_virtual_time(main)


def test_an_answer_that_is_left_closes_its_connection_at_once() -> None:
    async def main() -> None:
        async with connected(answering(OK[:-1])) as (client, network):
            reply = await ask(client)
            assert await reply.piece() == b"h"
            await reply.aclose()
            assert client.counts == NONE
            with pytest.raises(trio.ClosedResourceError):
                await network.opened[0].receive_some(1)

    run_in_virtual_time(main)


def test_a_cancelled_request_closes_its_connection_at_once() -> None:
    async def main() -> None:
        async with connected(answering(b"HTTP/1.1 200")) as (client, network):
            with trio.move_on_after(1):
                await ask(client)
            assert client.counts == NONE
            with pytest.raises(trio.ClosedResourceError):
                await network.opened[0].receive_some(1)

    run_in_virtual_time(main)


def test_a_turn_and_a_connection_are_told_apart() -> None:
    async def main() -> None:
        async with connected(answering(OK), most=1, seconds=2.0) as (client, _):
            first, second = Times(), Times()
            reply = await ask(client, first)
            assert (first.turned, first.connected) == (0.0, 2.0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, client, second)
                await wait_all_tasks_blocked()
                await trio.sleep(3)
                await body_of(reply)
            assert (second.turned, second.connected) == (5.0, 5.0)

    run_in_virtual_time(main)


def test_a_connection_that_cannot_be_opened_is_told_and_leaves_nothing() -> None:
    async def main() -> None:
        async with connected(answering(OK), refuses=True) as (client, _):
            with pytest.raises(NotConnected):
                await ask(client)
            assert client.counts == NONE

    run_in_virtual_time(main)


def test_a_cut_after_the_head_is_told_and_the_connection_closed() -> None:
    async def main() -> None:
        async with connected(answering(OK[:-1], closes=True)) as (client, _):
            reply = await ask(client)
            assert await reply.piece() == b"h"
            with pytest.raises(AnswerCut):
                await reply.piece()
            await reply.aclose()
            assert client.counts == NONE

    run_in_virtual_time(main)


def test_a_large_body_goes_out_whole() -> None:
    async def main() -> None:
        body = b"x" * 200_000 + b"body"
        seen = []

        async def serve(stream: trio.abc.Stream) -> None:
            seen.append(await read_request(stream))
            await stream.send_all(OK)

        async with connected(serve) as (client, _):
            await body_of(await client.send(HEAD, (), body, Times()))
        assert seen[0] is not None
        assert seen[0].endswith(b"content-length: 200004\r\n\r\n" + body)

    run_in_virtual_time(main)


def test_an_early_answer_to_half_a_request_is_taken_and_its_connection_is_not() -> None:
    async def main() -> None:
        async def refuse(stream: trio.abc.Stream) -> None:
            await stream.receive_some(10)
            await stream.send_all(b"HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n")

        async with connected(refuse) as (client, _):
            reply = await client.send(HEAD, (), b"x" * 200_000, Times())
            assert reply.head.status == 413
            await body_of(reply)

    run_in_virtual_time(main)


# ---- Decision 020: a stale connection is tried once more, a request is not


@attrs.define
class Flaky:
    """Answers the first request of each connection, and then breaks in some way."""

    way: str
    connections: int = 0
    requests: int = 0

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection."""
        self.connections += 1
        first = self.connections == 1
        while await read_request(stream) is not None:
            self.requests += 1
            if not first and self.way != "always":
                await stream.send_all(OK)
            elif self.requests == 1:
                await stream.send_all(OK)
                if self.way == "closes while idle":
                    return
            else:
                await self._break(stream)
                return

    async def _break(self, stream: trio.abc.Stream) -> None:
        if self.way == "late":
            await trio.sleep(client_module.STALE_SECONDS + 0.5)
        elif self.way == "half a head":
            await stream.send_all(b"HTTP/1.1 2")
        elif self.way == "half a body":
            await stream.send_all(OK[:-1])
        elif self.way == "garbage":
            await stream.send_all(b"\x16\x03\x01\x00\x00")


@pytest.mark.parametrize("way", ["closes while idle", "at once"])
def test_a_stale_connection_is_tried_once_more(way: str) -> None:
    async def main() -> None:
        flaky = Flaky(way)
        async with connected(flaky.serve) as (client, _):
            await body_of(await ask(client))
            assert await body_of(await ask(client)) == b"hi"
            assert (flaky.connections, client.counts) == (2, IDLE)

    run_in_virtual_time(main)


@pytest.mark.parametrize("way", ["late", "half a head", "garbage"])
def test_a_request_that_may_have_been_worked_on_is_not_repeated(way: str) -> None:
    async def main() -> None:
        flaky = Flaky(way)
        async with connected(flaky.serve) as (client, _):
            await body_of(await ask(client))
            with pytest.raises(NoAnswer):
                await ask(client)
            assert (flaky.requests, client.counts) == (2, NONE)

    run_in_virtual_time(main)


def test_the_second_try_is_the_last() -> None:
    async def main() -> None:
        flaky = Flaky("always")
        async with connected(flaky.serve) as (client, _):
            await body_of(await ask(client))
            with pytest.raises(NoAnswer):
                await ask(client)
            assert (flaky.requests, client.counts) == (3, NONE)

    run_in_virtual_time(main)


def test_a_fresh_connection_that_breaks_is_not_tried_again() -> None:
    async def main() -> None:
        seen = []

        async def hang_up(stream: trio.abc.Stream) -> None:
            seen.append(await read_request(stream))

        async with connected(hang_up) as (client, _):
            with pytest.raises(NoAnswer):
                await ask(client)
        assert len(seen) == 1

    run_in_virtual_time(main)


# ---- Warm-up


def test_connections_are_opened_ahead_and_tried() -> None:
    async def main() -> None:
        async with connected(answering(OK), most=4, seconds=1.0) as (client, network):
            await client.warm(3, None)
            assert (len(network.opened), trio.current_time()) == (3, 1.0)
            assert client.counts.idle == 3
            await body_of(await ask(client))
            assert len(network.opened) == 3

    run_in_virtual_time(main)


def test_a_probe_that_fails_is_told_and_what_worked_is_kept() -> None:
    async def main() -> None:
        served = 0

        async def serve(stream: trio.abc.Stream) -> None:
            nonlocal served
            served += 1
            is_bad = served == 2
            while await read_request(stream, b"\r\n\r\n") is not None and not is_bad:
                await stream.send_all(OK)

        async with connected(serve, most=4) as (client, _):
            with pytest.raises(NoAnswer):
                await client.warm(3, attrs.evolve(HEAD, method=b"GET"))
            assert client.counts == attrs.evolve(IDLE, idle=2)
        async with connected(answering(OK), refuses=True) as (client, _):
            with pytest.raises(NotConnected):
                await client.warm(3, None)
            assert client.counts == NONE

    run_in_virtual_time(main)


# ---- Law: whatever happens to an exchange, connections are conserved and answers are never mixed


@attrs.frozen
class Fate:
    """What becomes of one exchange."""

    pause: float
    answer: float
    is_cut: bool
    reads: bool
    leaves: float


FATES = st.builds(
    Fate,
    pause=st.sampled_from([0.0, 0.5, 1.0]),
    answer=st.sampled_from([0.0, 0.5, 2.0]),
    is_cut=st.sampled_from([False, False, True]),
    reads=st.sampled_from([True, True, False]),
    leaves=st.sampled_from([100.0, 100.0, 0.0, 0.4, 1.0]),
)


def check_law(fates: list[Fate]) -> None:
    """Let the exchanges happen; each one that gets its whole answer gets its own."""

    async def serve(stream: trio.abc.Stream) -> None:
        while (request := await read_request(stream)) is not None:
            number = int(request.split(b"x-n: ")[1].split(b"\r\n")[0])
            await trio.sleep(fates[number].answer)
            body = b"%d" % number * 10
            answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
            await stream.send_all(answer[: -5 if fates[number].is_cut else None])
            if fates[number].is_cut:
                return

    async def exchange(client: Client, number: int) -> None:
        fate = fates[number]
        await trio.sleep(fate.pause)
        with trio.move_on_after(fate.leaves):
            reply = await client.send(HEAD, ((b"x-n", b"%d" % number),), b"body", Times())
            try:
                if fate.reads:
                    body = b""
                    while (piece := await reply.piece()) is not None:
                        body += piece
                    assert body == b"%d" % number * 10
            except AnswerCut:
                assert fate.is_cut
            finally:
                await reply.aclose()

    async def main() -> None:
        async with connected(serve, seconds=0.3) as (client, network):
            async with trio.open_nursery() as nursery:
                for number in range(len(fates)):
                    nursery.start_soon(exchange, client, number)
            counts = client.counts
            assert (counts.connecting, counts.in_use, counts.waiting) == (0, 0, 0)
            await client.aclose()
            assert client.counts == NONE
            for stream in network.opened:
                with pytest.raises(trio.ClosedResourceError):
                    await stream.receive_some(1)

    run_in_virtual_time(main)


@given(st.lists(FATES, max_size=6))
def test_answers_are_never_mixed_and_connections_are_conserved(fates: list[Fate]) -> None:
    check_law(fates)


def test_the_law_finds_a_connection_that_is_used_again_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Http1Connection, "is_usable", True)
    left = Fate(pause=0.0, answer=0.0, is_cut=False, reads=False, leaves=100.0)
    whole = attrs.evolve(left, pause=0.5, reads=True)
    with pytest.raises(ExceptionGroup):
        check_law([left, whole])
