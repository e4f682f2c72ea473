"""TLS towards clients: who is let in, how long a handshake may take, and what a reload changes."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
import trustme
from trio.testing import MockClock

from kt.errors import UsageError
from kt.plan import Edge
from kt.runtime.app import Scope
from kt.runtime.edge.tls import server_context
from kt.runtime.inbox import Receive, Send
from kt.runtime.server import ServeSettings, bound_port, open_listeners, serve
from tests.support.sockets import MemoryListener, RawClient, request_bytes

HOST = "localhost"


@attrs.frozen
class Files:
    """A certificate with its key, and whom to trust for it."""

    ca: trustme.CA
    certificate: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        """As the gateway reads it."""
        return server_context(self.certificate, self.key)

    def client(self, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        """A client that trusts it and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        for name, version in versions.items():
            setattr(context, name, version)
        return context


def files(directory: Path, name: str) -> Files:
    """Made at test time."""
    ca = trustme.CA()
    issued = ca.issue_cert(HOST, "127.0.0.1")
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    return Files(ca, certificate, key)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A certificate."""
    return files(tmp_path_factory.mktemp("tls"), "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Another one."""
    return files(tmp_path_factory.mktemp("tls"), "other")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Say who asks."""
    client = scope["client"]
    body = (client[0] if client else "nobody").encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@attrs.define
class Serving:
    """A server on a free port of loopback, with the certificate of the moment."""

    now: ssl.SSLContext
    port: int = 0
    drain: trio.Event = attrs.field(factory=trio.Event)
    lines: list[str] = attrs.field(factory=list)

    async def connect(self, trust: ssl.SSLContext, *, is_lenient: bool = True) -> RawClient:
        """A client after its handshake; one that is not lenient demands a goodbye."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        secured = trio.SSLStream(stream, trust, server_hostname=HOST, https_compatible=is_lenient)
        try:
            await secured.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return RawClient(secured)  # type: ignore[arg-type]  # it never closes by half


@asynccontextmanager
async def serving(context: ssl.SSLContext, **settings: object) -> AsyncIterator[Serving]:
    """Serve for the block, then drain."""
    listeners = await open_listeners("127.0.0.1", 0)
    served = Serving(context, bound_port(listeners))

    async def run() -> None:
        await serve(
            app,
            listeners,
            settings=ServeSettings(**settings),  # type: ignore[arg-type]
            drain=served.drain,
            log=served.lines.append,
            tls=lambda: served.now,
        )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        yield served
        served.drain.set()
    assert served.lines == []


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test within bounds."""

    async def bounded() -> None:
        with trio.fail_after(20):
            await main()

    trio.run(bounded)


@pytest.mark.parametrize("edge", Edge)
def test_a_client_is_answered_and_known_by_its_address(one: Files, edge: Edge) -> None:
    async def main() -> None:
        async with serving(one.context, edge=edge) as served:
            client = await served.connect(one.client())
            for _ in range(2):
                answer = await client.request("GET", "/")
                assert (answer.status, answer.body) == (200, b"127.0.0.1")
            await client.leave()

    run(main)


@pytest.mark.parametrize("edge", Edge)
def test_the_last_answer_is_followed_by_a_goodbye(one: Files, edge: Edge) -> None:
    """Without one, the end could be anybody's work."""

    async def main() -> None:
        async with serving(one.context, edge=edge, linger=0.5) as served:
            client = await served.connect(one.client(), is_lenient=False)
            await client.send(request_bytes("GET", "/", [("connection", "close")]))
            said = b""
            while piece := await client.stream.receive_some():
                said += piece
            assert said.endswith(b"127.0.0.1")
            await trio.aclose_forcefully(client.stream)

    run(main)


def test_a_client_that_trusts_somebody_else_leaves_and_others_are_served(
    one: Files, other: Files
) -> None:
    async def main() -> None:
        async with serving(one.context) as served:
            with pytest.raises(trio.BrokenResourceError):
                await served.connect(other.client())
            client = await served.connect(one.client())
            assert (await client.request("GET", "/")).status == 200
            await client.leave()

    run(main)


def test_who_speaks_no_tls_is_closed(one: Files) -> None:
    async def main() -> None:
        async with serving(one.context) as served:
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            client = RawClient(stream)
            await client.send(request_bytes("GET", "/"))
            assert b"HTTP" not in await client.receive_rest()
            await client.leave()

    run(main)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_old_versions_are_refused_and_newer_ones_taken(one: Files) -> None:
    old, newer = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2
    assert one.context.minimum_version == newer
    trusting = one.client(minimum_version=old, maximum_version=old)
    trusting.set_ciphers("ALL:@SECLEVEL=0")

    async def main() -> None:
        async with serving(one.context) as served:
            with pytest.raises(trio.BrokenResourceError):
                await served.connect(trusting)
            client = await served.connect(one.client(maximum_version=newer))
            assert (await client.request("GET", "/")).status == 200
            await client.leave()

    run(main)


def test_another_certificate_is_for_new_clients_and_old_ones_stay(one: Files, other: Files) -> None:
    async def main() -> None:
        async with serving(one.context) as served:
            old = await served.connect(one.client())
            served.now = other.context
            new = await served.connect(other.client())
            with pytest.raises(trio.BrokenResourceError):
                await served.connect(one.client())
            for client in (old, new):
                assert (await client.request("GET", "/")).status == 200
                await client.leave()

    run(main)


def test_a_handshake_that_takes_too_long_is_ended(one: Files) -> None:
    listener = MemoryListener()
    drain = trio.Event()
    ends: list[float] = []

    async def main() -> None:
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            client = await _connected(nursery, listener, one, drain)
            await client.send(b"\x16\x03\x01")
            assert await client.receive_rest() == b""
            ends.append(trio.current_time() - start)
            drain.set()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert ends == [ServeSettings().handshake]


def test_a_drain_does_not_wait_for_a_handshake(one: Files) -> None:
    listener = MemoryListener()
    drain = trio.Event()
    ends: list[float] = []

    async def main() -> None:
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            client = await _connected(nursery, listener, one, drain)
            await trio.testing.wait_all_tasks_blocked()
            drain.set()
            assert await client.receive_rest() == b""
        ends.append(trio.current_time() - start)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert ends == [0]


async def _connected(
    nursery: trio.Nursery, listener: MemoryListener, one: Files, drain: trio.Event
) -> RawClient:
    async def run() -> None:
        context = one.context
        await serve(
            app,
            [listener],
            settings=ServeSettings(),
            drain=drain,
            log=lambda _: None,
            tls=lambda: context,
        )

    nursery.start_soon(run)
    return await listener.connect()


def test_files_that_do_not_belong_together_are_refused(
    one: Files, other: Files, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")
    for certificate, key in (
        (one.certificate, other.key),
        (one.certificate, None),
        (tmp_path / "empty.pem", one.key),
        (tmp_path / "none.pem", one.key),
        (one.certificate, tmp_path / "none.key"),
    ):
        with pytest.raises(UsageError, match="cannot serve TLS"):
            server_context(certificate, key)


def test_a_key_may_be_in_the_file_of_the_certificate(one: Files, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(one.certificate.read_bytes() + one.key.read_bytes())
    assert server_context(both).minimum_version == ssl.TLSVersion.TLSv1_2
