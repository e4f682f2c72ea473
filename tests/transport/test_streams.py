"""Streams over sockets of this machine: TLS that trusts only whom it should, probes, closing."""

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
import trustme

from kt.transport.client import Client, Speech
from kt.transport.failures import NotConnected
from kt.transport.http2 import Http2Connection
from kt.transport.messages import Origin, RequestHead
from kt.transport.pool import PoolLimits, Total
from kt.transport.streams import (
    Credentials,
    Probes,
    close_now,
    dialer,
    has_input,
    speaks_http2,
    tls_context,
)
from tests.support.http2_server import Http2Server
from tests.support.wires import Times, answering

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
HOST = "localhost"


@attrs.frozen
class Authority:
    """A certificate authority of the test's own, in files."""

    ca: trustme.CA
    directory: Path

    @property
    def ca_file(self) -> Path:
        """Its certificate."""
        path = self.directory / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return path

    def client_files(self) -> tuple[Path, Path]:
        """A certificate and its key, for a client."""
        issued = self.ca.issue_cert("client.test")
        cert, key = self.directory / "client.pem", self.directory / "client.key"
        cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return cert, key

    def server_context(self, *protocols: str, wants_client: bool = False) -> ssl.SSLContext:
        """What a server of its own speaks with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(HOST, "127.0.0.1").configure_cert(context)
        context.set_alpn_protocols(list(protocols))
        if wants_client:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One authority for all tests: making keys takes time."""
    return Authority(trustme.CA(), tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def listening(
    server: Callable[[trio.abc.Stream], Awaitable[None]], context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, trio.Nursery]]:
    """A server on a free port, and a nursery."""

    async def serve(stream: trio.SocketStream) -> None:
        there: trio.abc.Stream = stream
        if context is not None:
            there = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        try:
            await server(there)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client left, or the handshake failed
        finally:
            await trio.aclose_forcefully(there)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield listener.socket.getsockname()[1], nursery
        nursery.cancel_scope.cancel()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test within bounds."""

    async def bounded() -> None:
        with trio.fail_after(10):
            await main()

    trio.run(bounded)


async def talk(port: int, nursery: trio.Nursery, context: ssl.SSLContext, **speech: bool) -> bytes:
    """One exchange over TLS."""
    origin = Origin(HOST, port, is_tls=True)
    limits = PoolLimits(max_connections=1, max_idle=1, idle=90.0)
    speaking = Speech(tls=context, **speech)
    client = Client(origin, limits, Total(), dialer(None), nursery, speaking)
    body = b""
    for _ in range(2):
        reply = await client.send(RequestHead(origin, b"POST", b"/", ()), (), b"body", Times())
        while (piece := await reply.piece()) is not None:
            body += piece
        await reply.aclose()
    assert client.counts.idle == 1
    await client.aclose()
    return body


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(authority: Authority) -> None:
    async def main() -> None:
        async with listening(answering(OK), authority.server_context()) as (port, nursery):
            context = tls_context(Credentials(ca_file=authority.ca_file), with_http2=False)
            assert await talk(port, nursery, context) == b"hihi"

    run(main)


def test_nobody_else_is_trusted(authority: Authority) -> None:
    async def main() -> None:
        async with listening(answering(OK), authority.server_context()) as (port, _):
            public = tls_context(Credentials(), with_http2=False)
            with pytest.raises(NotConnected, match="not trusted"):
                await dialer(None)(HOST, port, public)

    run(main)


def test_a_certificate_of_another_host_is_not_trusted(authority: Authority) -> None:
    async def main() -> None:
        server = authority.server_context()
        authority.ca.issue_cert("other.test").configure_cert(server)
        async with listening(answering(OK), server) as (port, _):
            context = tls_context(Credentials(ca_file=authority.ca_file), with_http2=False)
            with pytest.raises(NotConnected, match="not trusted"):
                await dialer(None)(HOST, port, context)

    run(main)


def test_a_client_certificate_is_shown(authority: Authority) -> None:
    async def main() -> None:
        server = authority.server_context(wants_client=True)
        async with listening(answering(OK), server) as (port, nursery):
            cert, key = authority.client_files()
            files = Credentials(ca_file=authority.ca_file, client_cert=cert, client_key=key)
            assert await talk(port, nursery, tls_context(files, with_http2=False)) == b"hihi"

    run(main)


def test_http2_is_spoken_where_both_want_it(authority: Authority) -> None:
    async def main() -> None:
        files = Credentials(ca_file=authority.ca_file)
        wants = tls_context(files, with_http2=True)
        server = Http2Server(lambda peer, request: peer.answer(request.number, b"two"))
        async with listening(server.serve, authority.server_context("h2")) as (port, nursery):
            assert await talk(port, nursery, wants, is_http2=True) == b"twotwo"
            stream = await dialer(None)(HOST, port, wants)
            assert speaks_http2(stream)
            close_now(stream)
        for server_side in (authority.server_context("http/1.1"), authority.server_context()):
            async with listening(answering(OK), server_side) as (port, nursery):
                assert await talk(port, nursery, wants, is_http2=True) == b"hihi"

    run(main)


def test_what_speaks_no_tls_is_told_apart(authority: Authority) -> None:
    async def main() -> None:
        async def hang_up(stream: trio.abc.Stream) -> None:
            await stream.receive_some(1)

        async with listening(hang_up) as (port, _):
            context = tls_context(Credentials(ca_file=authority.ca_file), with_http2=False)
            with pytest.raises(NotConnected, match="does not speak TLS"):
                await dialer(None)(HOST, port, context)
        with pytest.raises(NotConnected, match="cannot be reached"):
            await dialer(None)("127.0.0.1", 1, None)
        with pytest.raises(NotConnected, match="cannot be reached"):
            await dialer(None)("x" * 70, 1, None)

    run(main)


def test_files_of_no_use_are_errors(authority: Authority, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    for files in (
        Credentials(ca_file=tmp_path / "missing.pem"),
        Credentials(ca_file=broken),
        Credentials(client_cert=broken),
        Credentials(client_cert=authority.client_files()[0]),
    ):
        with pytest.raises(OSError, match=r"."):
            tls_context(files, with_http2=False)


def test_a_connection_is_probed_as_it_is_told() -> None:
    async def main() -> None:
        async with listening(answering(OK)) as (port, _):
            stream = await dialer(Probes(interval=7.0, timeout=20.0))("127.0.0.1", port, None)
            assert isinstance(stream, trio.SocketStream)
            option = stream.socket.getsockopt
            assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert option(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            tcp = socket.IPPROTO_TCP
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert [option(tcp, name) for name in names] == [7, 7, 3]
            close_now(stream)
            plain = await dialer(None)("127.0.0.1", port, None)
            assert isinstance(plain, trio.SocketStream)
            assert not plain.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            close_now(plain)

    run(main)


def test_an_idle_connection_that_its_peer_closed_is_seen() -> None:
    async def main() -> None:
        left = trio.Event()

        async def hang_up(stream: trio.abc.Stream) -> None:
            await left.wait()

        async with listening(hang_up) as (port, _):
            stream = await dialer(None)("127.0.0.1", port, None)
            assert isinstance(stream, trio.SocketStream)
            assert not has_input(stream)
            left.set()
            await trio.lowlevel.wait_readable(stream.socket)
            assert has_input(stream)
            close_now(stream)

    run(main)


def test_a_shared_connection_over_a_socket_ends_with_its_close() -> None:
    async def main() -> None:
        server = Http2Server(lambda peer, request: None)
        async with listening(server.serve) as (port, _), trio.open_nursery() as nursery:
            connection = Http2Connection(await dialer(None)("127.0.0.1", port, None))
            await connection.start(nursery)
            connection.close()  # the nursery would wait for tasks that go on

    run(main)
