"""The HTTP clients, ours and httpx, towards a real provider on this machine, which counts."""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from kt.errors import GatewayError
from kt.plan import Connecting, Target, Transport
from kt.runtime.connecting import Network, upstreams
from kt.runtime.upstream import TargetUnavailable, Upstream
from tests.support.plans import plan, target, timeouts

pytestmark = pytest.mark.slow

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
CHOSEN = Transport.KT
"""Every test runs with each of them: they keep one contract."""
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True, params=list(Transport))
def _each_transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request.module, "CHOSEN", request.param)


@attrs.define
class Provider:
    """Answers each request on a connection with the same bytes, and counts."""

    answer: bytes
    closes: bool = False
    connections: int = 0
    left: trio.Event = attrs.field(factory=trio.Event)
    requests: list[bytes] = attrs.field(factory=list)

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while (request := await _request(stream)) is not None:
                self.requests.append(request)
                await stream.send_all(self.answer)
                if self.closes:
                    break
        except trio.BrokenResourceError:
            pass
        finally:
            self.left.set()
            await trio.aclose_forcefully(stream)


async def _request(stream: trio.SocketStream) -> bytes | None:
    """A whole request whose body is `body`; None where there is no other."""
    data = b""
    while not data.endswith(b"body"):
        piece = await stream.receive_some(65536)
        if not piece:
            return None
        data += piece
    return data


@asynccontextmanager
async def upstream(provider: Provider, secret: str | None = None) -> AsyncIterator[Upstream]:
    """Connections to a running provider; closed with the block."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, provider.handle, 0)
        port = listeners[0].socket.getsockname()[1]
        there = attrs.evolve(target(), base_url=f"http://127.0.0.1:{port}")
        async with connected(there, secret, first_byte=2.0, inter_chunk=2.0) as asked:
            yield asked
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def connected(
    there: Target,
    secret: str | None = None,
    **seconds: float,
) -> AsyncIterator[Upstream]:
    """Connections to one target as a gateway makes them."""
    the_plan = attrs.evolve(
        plan(targets=(there,)),
        timeouts=timeouts(**seconds),
        connecting=Connecting(transport=CHOSEN),
    )
    secrets = {} if secret is None else {there.id: secret}
    async with upstreams(the_plan, secrets, frozenset(), Network()) as (asked,):
        yield asked


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run an async test within bounds; what it forgets to close is an error (a ResourceWarning)."""

    async def bounded() -> None:
        with trio.fail_after(10):
            await main()

    trio.run(bounded)
    gc.collect()


async def ask(asked: Upstream, headers: dict[bytes, bytes] | None = None) -> bytes:
    """The whole body of one answer."""
    async with asked.ask("/v1/x", headers or {}, b"body") as answer:
        return await answer.whole(10**6)


def test_a_connection_is_used_again_after_a_whole_answer() -> None:
    async def main() -> None:
        provider = Provider(CHUNKED + b"2\r\nhi\r\n3\r\n ho\r\n0\r\n\r\n")
        async with upstream(provider) as asked:
            assert await ask(asked) == b"hi ho"
            assert await ask(asked) == b"hi ho"
        assert (provider.connections, len(provider.requests)) == (1, 2)

    run(main)


def test_a_connection_is_used_again_after_a_stream_that_was_read_to_its_end() -> None:
    async def main() -> None:
        provider = Provider(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")
        async with upstream(provider) as asked:
            for _ in range(3):
                async with asked.ask("/v1/x", {}, b"body") as answer:
                    assert await answer.piece() == b"hi"
                    await answer.read_to_end()
        assert provider.connections == 1

    run(main)


def test_an_answer_that_is_not_read_closes_its_connection_at_once() -> None:
    async def main() -> None:
        provider = Provider(CHUNKED + b"2\r\nhi\r\n")
        async with upstream(provider) as asked:
            async with asked.ask("/v1/x", {}, b"body") as answer:
                assert await answer.piece() == b"hi"
            with trio.fail_after(1):
                await provider.left.wait()

    run(main)


def test_a_cancelled_request_closes_its_connection_at_once() -> None:
    async def main() -> None:
        provider = Provider(b"")
        async with upstream(provider) as asked:
            with trio.move_on_after(0.1):
                await ask(asked)
            with trio.fail_after(1):
                await provider.left.wait()

    run(main)


def test_an_encoded_answer_closes_its_connection() -> None:
    async def main() -> None:
        provider = Provider(HEAD + b"content-encoding: gzip\r\ncontent-length: 9\r\n\r\n")
        async with upstream(provider) as asked:
            with pytest.raises(GatewayError) as refusal:
                await ask(asked)
            assert refusal.value.code == "bad_response"
            with trio.fail_after(1):
                await provider.left.wait()

    run(main)


def test_a_stall_and_a_cut_have_their_codes() -> None:
    async def main() -> None:
        for closes, code in ((False, "inter_chunk_timeout"), (True, "upstream_cut")):
            provider = Provider(CHUNKED + b"2\r\nhi\r\n", closes=closes)
            async with upstream(provider) as asked:
                asked._timeouts = timeouts(inter_chunk=0.2)
                with pytest.raises(GatewayError) as refusal:
                    await ask(asked)
                assert refusal.value.code == code

    run(main)


def test_a_provider_that_says_nothing_and_one_that_hangs_up_have_their_codes() -> None:
    async def main() -> None:
        for closes, code in ((False, "first_byte_timeout"), (True, "bad_response")):
            provider = Provider(b"", closes=closes)
            async with upstream(provider) as asked:
                asked._timeouts = timeouts(first_byte=0.2)
                with pytest.raises(GatewayError) as refusal:
                    await ask(asked)
                assert refusal.value.code == code

    run(main)


@pytest.mark.parametrize(
    "answer", [b"garbage\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"\x16\x03\x01"]
)
def test_what_is_no_http_is_a_bad_response(answer: bytes) -> None:
    async def main() -> None:
        async with upstream(Provider(answer, closes=True)) as asked:
            with pytest.raises(GatewayError) as refusal:
                await ask(asked)
            assert refusal.value.code == "bad_response"

    run(main)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://name.invalid"]
)
def test_a_target_that_cannot_be_reached_is_unavailable(url: str) -> None:
    async def main() -> None:
        async with connected(attrs.evolve(target(), base_url=url)) as asked:
            with pytest.raises(TargetUnavailable) as refusal:
                await ask(asked)
        assert refusal.value.error.code == "connect_failed"
        assert "127.0.0.1" not in refusal.value.error.message

    run(main)


def test_a_handshake_that_takes_too_long_closes_its_connection() -> None:
    async def main() -> None:
        provider = Provider(b"")  # it waits for the end of what it takes for a request
        async with upstream(provider) as plain:
            url = plain.target.base_url.replace("http:", "https:")
            async with connected(attrs.evolve(plain.target, base_url=url), connect=0.2) as asked:
                with pytest.raises(TargetUnavailable) as refusal:
                    await ask(asked)
                assert refusal.value.error.code == "connect_timeout"
                with trio.fail_after(1):
                    await provider.left.wait()

    run(main)


@pytest.mark.parametrize("secret", ["sk-abc", "schlüssel"])
def test_the_key_goes_where_the_target_says(secret: str) -> None:
    async def main() -> None:
        provider = Provider(HEAD + b"content-length: 2\r\n\r\nhi")
        async with upstream(provider, secret) as asked:
            await ask(asked, {b"openai-project": "ö".encode()})
            assert secret not in repr(asked)
        head = provider.requests[0].lower()
        assert b"\r\nauthorization: bearer " + secret.encode() in head
        assert "\r\nopenai-project: ö".encode() in head
        assert b"\r\naccept-encoding: identity\r\n" in head
        assert b"\r\ncontent-type: application/json\r\n" in head
        assert head.startswith(b"post /v1/x http/1.1\r\n")

    run(main)


def test_more_requests_than_connections_wait_and_a_long_wait_is_a_connect_timeout() -> None:
    async def main() -> None:
        provider = Provider(CHUNKED + b"2\r\nhi\r\n")
        async with upstream(provider) as few:
            pool = attrs.evolve(few.target.pool, max_connections=1)
            there = attrs.evolve(few.target, pool=pool)
            async with (
                connected(there, connect=0.2) as asked,
                asked.ask("/v1/x", {}, b"body") as answer,
            ):
                assert await answer.piece() == b"hi"
                with pytest.raises(TargetUnavailable) as refusal:
                    await ask(asked)
                assert refusal.value.error.code == "connect_timeout"

    run(main)
