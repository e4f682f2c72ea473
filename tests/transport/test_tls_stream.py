"""TLS that is closed by half: who still sends is read to the end, and then it is over."""

import ssl
from collections.abc import Awaitable, Callable

import pytest
import trio
import trustme
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from kt.transport.streams import close_now
from kt.transport.tls_stream import TlsStream

HOST = "localhost"


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The client's and the server's."""
    ca = trustme.CA()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(client)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(HOST).configure_cert(server)
    return client, server


Talk = Callable[[trio.SSLStream[trio.abc.Stream], TlsStream], Awaitable[None]]


def talk(contexts: tuple[ssl.SSLContext, ssl.SSLContext], test: Talk) -> None:
    """Run a test with both ends after the handshake."""

    async def main() -> None:
        ours, theirs = memory_stream_pair()
        client: trio.SSLStream[trio.abc.Stream] = trio.SSLStream(
            ours, contexts[0], server_hostname=HOST
        )
        server = TlsStream(theirs, contexts[1])
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(client.do_handshake)
                nursery.start_soon(server.handshake)
            await test(client, server)

    trio.run(main)


def test_both_directions(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def test(client: trio.SSLStream[trio.abc.Stream], server: TlsStream) -> None:
        await client.send_all(b"ping")
        assert await server.receive_some() == b"ping"
        await server.wait_send_all_might_not_block()
        await server.send_all(b"pong")
        assert await client.receive_some() == b"pong"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.aclose)
            nursery.start_soon(server.aclose)

    talk(contexts, test)


@pytest.mark.parametrize("is_reading", [False, True])
def test_after_the_goodbye_the_other_side_is_read_to_its_end(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], is_reading: bool
) -> None:
    """Whoever was reading goes on; the client, which is strict, hears a goodbye."""
    ends: list[bytes] = []

    async def read(server: TlsStream) -> None:
        while piece := bytes(await server.receive_some()):
            ends.append(piece)
        ends.append(b"")

    async def test(client: trio.SSLStream[trio.abc.Stream], server: TlsStream) -> None:
        async with trio.open_nursery() as nursery:
            if is_reading:
                nursery.start_soon(read, server)
                await wait_all_tasks_blocked()
            nursery.start_soon(server.send_eof)
            await wait_all_tasks_blocked()
            assert await client.receive_some() == b""
            await client.aclose()
            if not is_reading:
                await read(server)
        close_now(server)

    talk(contexts, test)
    assert ends[-1] == b""


def test_what_is_sent_after_the_goodbye_does_not_end_it(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def test(client: trio.SSLStream[trio.abc.Stream], server: TlsStream) -> None:
        await client.send_all(b"one more request")
        await server.send_eof()
        await server.send_eof()  # saying it twice is saying it once
        assert await client.receive_some() == b""
        with trio.move_on_after(0):
            assert await server.receive_some(), "it is still there"
        close_now(server)
        await trio.aclose_forcefully(client)

    talk(contexts, test)
