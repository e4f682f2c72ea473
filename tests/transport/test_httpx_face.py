"""httpx over connections of ours: as over its own, timeouts and exceptions included."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import trio

from kt.transport.client import Client, Speech
from kt.transport.httpx_face import KtTransport
from kt.transport.messages import Origin
from kt.transport.pool import PoolLimits, Total
from tests.support.gateways import run_in_virtual_time
from tests.support.wires import MemoryNetwork, Server, answering

OK = b"HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
URL = "http://provider.test/v1/x"


@asynccontextmanager
async def client_of(
    server: Server, limits_of_time: httpx.Timeout | None = None, **network: float
) -> AsyncIterator[tuple[httpx.AsyncClient, MemoryNetwork]]:
    """An httpx client of one server."""
    async with trio.open_nursery() as nursery:
        memory = MemoryNetwork(server, nursery, **network)  # type: ignore[arg-type]
        limits = PoolLimits(max_connections=1, max_idle=1, idle=90.0)

        def open_client(origin: Origin) -> Client:
            return Client(origin, limits, Total(), memory.dial, nursery, Speech())

        transport = KtTransport(open_client)
        async with httpx.AsyncClient(transport=transport, timeout=limits_of_time) as client:
            yield client, memory
        nursery.cancel_scope.cancel()


def test_requests_are_answered_and_connections_used_again() -> None:
    async def main() -> None:
        async with client_of(answering(OK)) as (client, network):
            for _ in range(3):
                answer = await client.post(URL, content=b"body", headers={"x-b": "c"})
                assert (answer.status_code, answer.text) == (200, "hi")
                assert answer.headers["x-a"] == "b"
            assert len(network.opened) == 1

    run_in_virtual_time(main)


def test_an_answer_may_be_left_when_its_head_is_here() -> None:
    async def main() -> None:
        async with client_of(answering(OK[:-5])) as (client, network):
            async with client.stream("POST", URL, content=b"body") as answer:
                assert answer.status_code == 200
            with pytest.raises(trio.ClosedResourceError):
                await network.opened[0].receive_some(1)

    run_in_virtual_time(main)


@pytest.mark.parametrize(
    ("server", "network", "error"),
    [
        (answering(OK), {"refuses": True}, httpx.ConnectError),
        (answering(OK), {"seconds": 2.0}, httpx.ConnectTimeout),
        (answering(b""), {}, httpx.ReadTimeout),
        (answering(OK[:-5]), {}, httpx.ReadTimeout),
        (answering(b"", closes=True), {}, httpx.RemoteProtocolError),
        (answering(OK[:-5], closes=True), {}, httpx.RemoteProtocolError),
    ],
)
def test_failures_are_those_of_httpx(
    server: Server, network: dict[str, float], error: type[httpx.HTTPError]
) -> None:
    async def main() -> None:
        async with client_of(server, httpx.Timeout(1.0), **network) as (client, _):
            with pytest.raises(error):
                await client.post(URL, content=b"body")

    run_in_virtual_time(main)


def test_a_turn_that_does_not_come_is_a_pool_timeout() -> None:
    async def main() -> None:
        async with (
            client_of(answering(OK[:-5]), httpx.Timeout(1.0)) as (client, _),
            client.stream("POST", URL, content=b"body"),
        ):
            with pytest.raises(httpx.PoolTimeout):
                await client.post(URL, content=b"body")

    run_in_virtual_time(main)


def test_a_header_that_would_end_its_line_is_not_sent() -> None:
    async def main() -> None:
        async with client_of(answering(OK)) as (client, _):
            with pytest.raises(httpx.LocalProtocolError):
                await client.post(URL, content=b"body", headers={"x": "a\r\nb: c"})

    run_in_virtual_time(main)
