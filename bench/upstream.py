"""What asking a provider costs, through our connections and through httpx: `make bench-upstream`.

A provider in another process answers 1 KB with 1 KB. Each way is asked by so many tasks at once, in
rounds that take turns; shown is the median round: requests per second, and microseconds of this
process's processor per request, which what else the machine does changes little.
"""

import multiprocessing
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time

import attrs
import httpx
import trio

sys.path.insert(0, str(Path(__file__).parents[1]))

from kt.plan import Connecting, Transport
from kt.runtime.connecting import Network, upstreams
from kt.runtime.upstream import Upstream
from kt.transport.client import Client, Speech
from kt.transport.httpx_face import KtTransport
from kt.transport.messages import Origin
from kt.transport.pool import PoolLimits, Total
from kt.transport.streams import dialer
from tests.support.plans import plan, target

CONCURRENCY = (1, 8, 64)
ROUNDS = 5
SECONDS = 0.6
"""How long a round of one way lasts."""
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "' + b"x" * 1000 + b'"}]}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: 1\r\ndate: now\r\n"
    b"server: bench\r\ncontent-length: 1024\r\n\r\n" + b"y" * 1024
)
ROW = "{:<34} {:>6} {:>12} {:>14}\n"

Ask = Callable[[], Awaitable[object]]


def main() -> None:
    """Print a table."""
    ours, theirs = multiprocessing.Pipe()
    provider = multiprocessing.get_context("spawn").Process(target=provide, args=(theirs,))
    provider.start()
    try:
        trio.run(measure, ours.recv())
    finally:
        provider.terminate()
        provider.join()


def provide(ready: Connection) -> None:
    """Run the provider."""

    async def serve(stream: trio.SocketStream) -> None:
        got = b""
        while piece := await stream.receive_some(65536):
            got += piece
            if got.endswith(BODY):
                got = b""
                await stream.send_all(ANSWER)

    async def run() -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=256)
        ready.send(listener.socket.getsockname()[1])
        await trio.serve_listeners(serve, [listener])

    trio.run(run)


async def measure(port: int) -> None:
    """Measure every way at every concurrency."""
    sys.stdout.write(ROW.format("way", "tasks", "requests/s", "us of CPU each"))
    async with ways(port) as asks:
        for tasks in CONCURRENCY:
            rows: dict[str, list[tuple[float, float]]] = {name: [] for name in asks}
            for _ in range(ROUNDS):
                for name, ask in asks.items():
                    rows[name].append(await _round(ask, tasks))
            for name, results in rows.items():
                rate, cost = (statistics.median(each) for each in zip(*results, strict=True))
                sys.stdout.write(ROW.format(name, tasks, f"{rate:.0f}", f"{cost * 1e6:.0f}"))


async def _round(ask: Ask, tasks: int) -> tuple[float, float]:
    count = 0
    end = perf_counter() + SECONDS

    async def work() -> None:
        nonlocal count
        while perf_counter() < end:
            await ask()
            count += 1

    started, busy = perf_counter(), process_time()
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(work)
    return count / (perf_counter() - started), (process_time() - busy) / count


@asynccontextmanager
async def ways(port: int) -> AsyncIterator[dict[str, Ask]]:
    """Name -> one request, whole."""
    there = attrs.evolve(target(url=f"http://127.0.0.1:{port}"))
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        asks: dict[str, Ask] = {}
        for transport in Transport:
            connecting = Connecting(transport=transport)
            the_plan = attrs.evolve(plan(targets=(there,)), connecting=connecting)
            (upstream,) = await stack.enter_async_context(
                upstreams(the_plan, {there.id: "sk-x"}, frozenset(), Network())
            )
            asks[f"gateway's upstream, {transport.value}"] = _gateway(upstream)
        limits = PoolLimits(max_connections=100, max_idle=100, idle=90.0)

        def open_client(origin: Origin) -> Client:
            return Client(origin, limits, Total(), dialer(None), nursery, Speech())

        own = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=100))
        for name, carrier in (("ours", KtTransport(open_client)), ("its own", own)):
            client = httpx.AsyncClient(transport=carrier, trust_env=False, timeout=None)  # noqa: S113
            await stack.enter_async_context(client)
            asks[f"httpx client, {name}"] = _httpx(client, there.base_url)
        yield asks


def _gateway(upstream: Upstream) -> Ask:
    headers = {b"x-request-id": b"1" * 32, b"traceparent": b"00-" + b"1" * 50}

    async def ask() -> None:
        async with upstream.ask("/v1/chat/completions", headers, BODY) as answer:
            await answer.whole(10**6)

    return ask


def _httpx(client: httpx.AsyncClient, url: str) -> Ask:
    headers = {"authorization": "Bearer sk-x", "content-type": "application/json"}

    async def ask() -> None:
        await client.post(f"{url}/v1/chat/completions", content=BODY, headers=headers)

    return ask


if __name__ == "__main__":
    main()
