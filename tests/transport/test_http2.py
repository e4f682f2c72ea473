"""HTTP/2 towards a small server: sharing, flow control both ways, resets, goodbyes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import attrs
import pytest
import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import lockstep_stream_pair, wait_all_tasks_blocked

from kt.transport import http2
from kt.transport.client import Client, Reply, Speech
from kt.transport.failures import AnswerCut, NoAnswer, NotConnected
from kt.transport.http2 import WINDOW, Http2Connection
from kt.transport.pool import PoolCounts, PoolLimits, Total
from tests.support.gateways import run_in_virtual_time
from tests.support.http2_server import OK, Http2Server, Peer, Request
from tests.support.wires import HEAD, ORIGIN, MemoryNetwork, Times


@asynccontextmanager
async def connected(server: Http2Server) -> AsyncIterator[tuple[Client, MemoryNetwork]]:
    """A client of one server that is known to speak HTTP/2."""
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(server.serve, nursery)
        limits = PoolLimits(max_connections=2, max_idle=2, idle=90.0)
        speech = Speech(is_http2=True)
        client = Client(ORIGIN, limits, Total(), network.dial, nursery, speech)
        yield client, network
        await client.aclose()
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def ask(client: Client, body: bytes = b"body") -> Reply:
    """One request."""
    return await client.send(HEAD, ((b"x-n", b"1"),), body, Times())


async def body_of(reply: Reply) -> bytes:
    """The rest of an answer, and its place given back."""
    body = b""
    try:
        while (piece := await reply.piece()) is not None:
            body += piece
    finally:
        await reply.aclose()
    return body


def echo(peer: Peer, request: Request) -> None:
    """Answer with the request's body."""
    peer.answer(request.number, bytes(request.body))


def test_a_request_arrives_whole_and_its_answer_too() -> None:
    async def main() -> None:
        server = Http2Server(echo)
        async with connected(server) as (client, network):
            for _ in range(3):
                reply = await ask(client)
                assert reply.head.status == 200
                assert reply.head.headers == ((b"content-type", b"text/plain"),)
                assert await body_of(reply) == b"body"
            assert len(network.opened) == 1
            assert client.counts == PoolCounts(connecting=0, idle=1, in_use=0, waiting=0)
            headers = server.peers[0].requests[1].headers
            assert (headers[b":path"], headers[b"x-n"]) == (b"/v1/x", b"1")

    run_in_virtual_time(main)


def test_many_exchanges_share_one_connection() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: None)
        async with connected(server) as (client, network):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(ask, client)
                await wait_all_tasks_blocked()
                (peer,) = server.peers
                assert len(peer.requests) == 20
                for number in reversed(peer.requests):
                    peer.answer(number, b"hi")
                await peer.flush()
            assert len(network.opened) == 1

    run_in_virtual_time(main)


def test_more_exchanges_than_a_connection_takes_open_another_and_then_wait() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: None, max_streams=2)
        async with connected(server) as (client, network), trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(ask, client)
            await wait_all_tasks_blocked()
            assert len(network.opened) == 2
            assert client.counts == PoolCounts(connecting=0, idle=0, in_use=2, waiting=1)
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)


def test_a_cancelled_exchange_is_reset_and_the_connection_goes_on() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: None)
        async with connected(server) as (client, network):
            with trio.move_on_after(1):
                await ask(client)
            await wait_all_tasks_blocked()
            server.behave = echo
            assert await body_of(await ask(client)) == b"body"
            assert (server.peers[0].resets, len(network.opened)) == ([1], 1)

    run_in_virtual_time(main)


def test_an_answer_that_is_not_read_is_reset_and_holds_up_no_other() -> None:
    async def main() -> None:
        def behave(peer: Peer, request: Request) -> None:
            peer.answer(request.number, b"x" * (3 * WINDOW if request.body == b"big" else 3))

        server = Http2Server(behave)
        async with connected(server) as (client, _):
            big = await ask(client, b"big")
            await wait_all_tasks_blocked()
            assert len(server.peers[0].waiting[1]) >= 2 * WINDOW
            assert await body_of(await ask(client, b"small")) == b"xxx"
            await big.aclose()
            await wait_all_tasks_blocked()
            assert server.peers[0].resets == [1]

    run_in_virtual_time(main)


def test_an_answer_is_taken_in_as_it_is_read() -> None:
    async def main() -> None:
        size = 5 * WINDOW + 17
        server = Http2Server(lambda peer, request: peer.answer(request.number, b"x" * size))
        async with connected(server) as (client, _):
            reply = await ask(client)
            pieces = []
            while (piece := await reply.piece()) is not None:
                pieces.append(len(piece))
                await wait_all_tasks_blocked()
            await reply.aclose()
            assert sum(pieces) == size
            assert max(pieces) <= WINDOW

    run_in_virtual_time(main)


def test_unread_answers_given_back_one_after_the_other_never_stall_the_connection() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: peer.answer(request.number, b"x" * 2 * WINDOW))
        async with connected(server) as (client, network):
            for _ in range(2 * http2.STREAMS):
                reply = await ask(client)
                await wait_all_tasks_blocked()
                await reply.aclose()
            reply = await ask(client)
            assert len(await body_of(reply)) == 2 * WINDOW
            assert len(network.opened) == 1

    run_in_virtual_time(main)


def test_a_large_request_waits_for_the_peers_window_and_is_bounded() -> None:
    async def main() -> None:
        server = Http2Server(echo, takes_bodies=False)
        async with connected(server) as (client, _):
            with trio.move_on_after(1):
                await ask(client, b"x" * 1_000_000)
            assert len(server.peers[0].requests[1].body) == 65535
            server.takes_bodies = server.peers[0].takes_bodies = True
        async with connected(server) as (client, _):
            assert len(await body_of(await ask(client, b"x" * 1_000_000))) == 1_000_000

    run_in_virtual_time(main)


def test_an_early_answer_ends_a_request_that_is_still_being_sent() -> None:
    async def main() -> None:
        async def expect_refusal(client: Client) -> None:
            reply = await ask(client, b"x" * 1_000_000)
            assert reply.head.status == 413
            await body_of(reply)

        server = Http2Server(echo, takes_bodies=False)
        async with connected(server) as (client, _):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(expect_refusal, client)
                await wait_all_tasks_blocked()
                peer = server.peers[0]
                peer.h2.send_headers(1, [(b":status", b"413")], end_stream=True)
                await peer.flush()
            await wait_all_tasks_blocked()
            assert peer.resets == [1]

    run_in_virtual_time(main)


def test_an_answer_that_is_reset_is_cut_and_a_refused_one_is_asked_again() -> None:
    async def main() -> None:
        def behave(peer: Peer, request: Request) -> None:
            if request.body == b"cut":
                peer.h2.send_headers(request.number, OK)
                peer.h2.reset_stream(request.number, ErrorCodes.INTERNAL_ERROR)
            elif request.body == b"broken":
                peer.h2.reset_stream(request.number, ErrorCodes.INTERNAL_ERROR)
            elif len(server.peers) == 1:
                peer.h2.reset_stream(request.number, ErrorCodes.REFUSED_STREAM)
            else:
                echo(peer, request)

        server = Http2Server(behave)
        async with connected(server) as (client, _):
            with pytest.raises((NoAnswer, AnswerCut)):
                await body_of(await ask(client, b"cut"))
            with pytest.raises(NoAnswer):
                await ask(client, b"broken")
            assert await body_of(await ask(client)) == b"body"

    run_in_virtual_time(main)


def test_a_goodbye_lets_what_is_under_way_end_and_sends_the_rest_elsewhere() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: None)
        async with connected(server) as (client, network):
            first = []

            async def ask_first() -> None:
                first.append(await body_of(await ask(client, b"first")))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask_first)
                await wait_all_tasks_blocked()
                nursery.start_soon(ask, client)
                await wait_all_tasks_blocked()
                (peer,) = server.peers
                goodbye = (8).to_bytes(3, "big") + b"\x07\0\0\0\0\0" + b"\0\0\0\x01\0\0\0\0"
                await peer.stream.send_all(goodbye)
                server.behave = echo
                await wait_all_tasks_blocked()
                assert len(network.opened) == 2
                echo(peer, peer.requests[1])
                await peer.flush()
            assert first == [b"first"]
            assert client.counts.in_use == 1  # the second answer was not given back

    run_in_virtual_time(main)


def test_a_connection_that_breaks_fails_what_is_under_way() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: peer.h2.send_headers(request.number, OK))
        async with connected(server) as (client, _):
            reply = await ask(client)
            await trio.aclose_forcefully(server.peers[0].stream)
            with pytest.raises(AnswerCut):
                await reply.piece()
            await reply.aclose()
            assert client.counts == PoolCounts(0, 0, 0, 0)

    run_in_virtual_time(main)


def test_a_peer_that_speaks_something_else_is_not_connected() -> None:
    async def main() -> None:
        async def speak_http1(stream: trio.abc.Stream) -> None:
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            await stream.receive_some(65536)

        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(speak_http1, nursery)
            connection = Http2Connection(await network.dial("x", 1, None))
            with pytest.raises(NotConnected):
                await connection.start(nursery)
            assert not connection.is_usable

    run_in_virtual_time(main)


def test_a_peer_that_takes_no_answers_to_its_pings_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "MAX_UNSENT", 1000)

    async def main() -> None:
        async def ping_and_take_nothing(stream: trio.abc.Stream) -> None:
            peer = H2Connection(H2Configuration(client_side=False))
            peer.initiate_connection()
            peer.receive_data(bytes(await stream.receive_some(65536)))
            for _ in range(1000):
                peer.ping(b"12345678")
            await stream.send_all(peer.data_to_send())
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            ours, theirs = lockstep_stream_pair()
            nursery.start_soon(ping_and_take_nothing, theirs)
            connection = Http2Connection(ours)
            with trio.fail_after(5), suppress(NotConnected):
                await connection.start(nursery)
            await wait_all_tasks_blocked()
            assert not connection.is_usable
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)


# ---- Law: exchanges do not disturb each other


@attrs.frozen
class Fate:
    """What becomes of one exchange."""

    pause: float
    size: int
    is_reset: bool
    reads: bool
    leaves: float


FATES = st.builds(
    Fate,
    pause=st.sampled_from([0.0, 0.5, 1.0]),
    size=st.sampled_from([0, 1, 1000, 70_000, 300_000]),
    is_reset=st.sampled_from([False, False, True]),
    reads=st.sampled_from([True, True, False]),
    leaves=st.sampled_from([100.0, 100.0, 0.0, 0.5]),
)


@given(st.lists(FATES, max_size=6))
def test_exchanges_on_one_connection_do_not_disturb_each_other(fates: list[Fate]) -> None:
    def behave(peer: Peer, request: Request) -> None:
        fate = fates[int(request.headers[b"x-n"])]
        peer.h2.send_headers(request.number, OK)
        if fate.is_reset:
            peer.h2.reset_stream(request.number, ErrorCodes.INTERNAL_ERROR)
        else:
            peer.pour(request.number, b"%d" % int(request.headers[b"x-n"]) * fate.size)

    async def exchange(client: Client, number: int) -> None:
        fate = fates[number]
        await trio.sleep(fate.pause)
        with trio.move_on_after(fate.leaves):
            more = ((b"x-n", b"%d" % number),)
            reply = await client.send(HEAD, more, b"x" * fate.size, Times())
            try:
                if fate.reads:
                    body = b""
                    while (piece := await reply.piece()) is not None:
                        body += piece
                        await trio.sleep(0.01)
                    assert body == b"%d" % number * fate.size
            except AnswerCut:
                assert fate.is_reset
            finally:
                await reply.aclose()

    async def main() -> None:
        async with connected(Http2Server(behave)) as (client, network):
            async with trio.open_nursery() as nursery:
                for number in range(len(fates)):
                    nursery.start_soon(exchange, client, number)
            assert len(network.opened) <= 1
            idle = len(network.opened)
            assert client.counts == PoolCounts(connecting=0, idle=idle, in_use=0, waiting=0)

    run_in_virtual_time(main)
