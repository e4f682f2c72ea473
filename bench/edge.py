"""What the edge costs: `make bench-edge`, both edges, 1, 8 and 64 connections.

A server and a load generator, each a process of its own on a loopback port. The generator keeps
one request under way per connection. Printed are requests per second and the processor time of the
server per request, user and system, the median of some rounds that take turns between the edges.
The generator shares the machine, so compare columns, not machines.
"""

import json
import multiprocessing
import resource
import selectors
import socket
import statistics
import sys
import tempfile
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

import trio

from kt.compiler import compile_source
from kt.plan import Edge
from kt.runtime.gateway import GatewayOptions, run_gateway
from kt.runtime.inbox import Message, Receive, Send
from kt.runtime.server import ServeSettings, bound_port, open_listeners, serve
from kt.source import Source
from kt.testing.behavior import MockSettings
from kt.testing.serving import running_mock

SECONDS = 1.0
ROUNDS = 3
CONNECTIONS = (1, 8, 64)
ROW = "{:<10} {:<10} {:>5} {:>10} {:>14}\n"

CONFIG = """
pack: {name: bench, version: 1.0.0, enabled: true}
policies:
  chain: [pii-detector, prompt-injection]
policy:
  pii-detector: {action: redact}
gateway: {edge: EDGE, concurrency: {max_concurrent_requests: 64}}
providers:
  targets: [{id: mock, base_url: 'URL'}]
"""

CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "word " * 200}]}).encode()


def request(path: str, body: bytes = b"") -> bytes:
    """A request as an SDK writes it."""
    method = "POST" if body else "GET"
    lines = [
        f"{method} {path} HTTP/1.1",
        "host: 127.0.0.1",
        "accept: application/json",
        "content-type: application/json",
        "user-agent: bench/1.0",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


REQUESTS = {
    "hello": request("/"),
    "echo 1 KB": request("/echo", b"x" * 1024),
    "gateway": request("/v1/chat/completions", CHAT),
}


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answer with the body."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    body = body or b"hello"
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def serve_echo(edge: Edge, ready: partial[None]) -> None:
    """The smallest app."""
    listeners = await open_listeners("127.0.0.1", 0)
    ready(bound_port(listeners))
    settings = ServeSettings(edge=edge)
    await serve(echo, listeners, settings=settings, drain=trio.Event(), log=sys.stderr.write)


async def serve_gateway(edge: Edge, mock: str, ready: partial[None]) -> None:
    """A whole gateway with two policies, without an audit log."""
    text = CONFIG.replace("URL", mock).replace("EDGE", edge.value)
    plan = compile_source(Source("bench.yaml", text)).plan
    with tempfile.TemporaryDirectory() as state:
        options = GatewayOptions(
            host="127.0.0.1",
            port=0,
            log=lambda line: None,
            audit_path=Path(state) / "audit.jsonl",
            gateway_id="bench",
        )
        async with trio.open_nursery() as nursery:
            running = await nursery.start(run_gateway, plan, options, trio.Event())
            ready(running.port)


async def serve_mock(ready: partial[None]) -> None:
    """A provider that answers at once."""
    async with running_mock(MockSettings(), lambda line: None) as mock:
        ready(mock.url)
        await trio.sleep_forever()


def in_process(main: partial[object], pipe: Connection) -> None:
    """Run a server; every word that comes is answered with the processor time so far."""

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(main.func, *main.args, ready=pipe.send))
            while True:
                await trio.to_thread.run_sync(pipe.recv)
                used = resource.getrusage(resource.RUSAGE_SELF)
                pipe.send(used.ru_utime + used.ru_stime)

    trio.run(run)


class Server:
    """A process that serves, and says where and what it used."""

    def __init__(self, main: partial[object]) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(
            target=in_process, args=(main, theirs), daemon=True
        )
        process.start()
        self.address = self._pipe.recv()

    def used(self) -> float:
        """Seconds of the processor so far."""
        self._pipe.send("")
        return float(self._pipe.recv())


def load(port: int, data: bytes, connections: int, seconds: float) -> int:
    """How many requests were answered."""
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ, bytearray())
        client.sendall(data)
    answered, end = 0, perf_counter() + seconds
    while perf_counter() < end:
        for key, _ in selector.select(1.0):
            key.data.extend(key.fileobj.recv(65536))
            if is_whole(key.data):
                answered += 1
                key.data.clear()
                key.fileobj.sendall(data)
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return answered


def is_whole(answer: bytearray) -> bool:
    """Whether an answer with a length is complete. Raises ValueError for a failure."""
    head, mark, body = answer.partition(b"\r\n\r\n")
    if not mark:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(bytes(answer))
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)


def measure(server: Server, data: bytes, connections: int) -> tuple[float, float]:
    """Requests per second, and microseconds of the processor for each."""
    load(server.address, data, connections, SECONDS / 5)
    before = server.used()
    answered = load(server.address, data, connections, SECONDS)
    return answered / SECONDS, (server.used() - before) / max(1, answered) * 1e6


def main() -> None:
    """Print a table."""
    mock = Server(partial(serve_mock))
    sys.stdout.write(ROW.format("what", "edge", "conns", "req/s", "us CPU/req"))
    for what, data in REQUESTS.items():
        is_gateway = what == "gateway"
        servers = {
            edge: Server(
                partial(serve_gateway, edge, mock.address)
                if is_gateway
                else partial(serve_echo, edge)
            )
            for edge in Edge
        }
        for connections in CONNECTIONS:
            rounds = [
                {edge: measure(one, data, connections) for edge, one in servers.items()}
                for _ in range(ROUNDS)
            ]
            for edge in Edge:
                rate = statistics.median(one[edge][0] for one in rounds)
                cost = statistics.median(one[edge][1] for one in rounds)
                sys.stdout.write(
                    ROW.format(what, edge.value, connections, f"{rate:.0f}", f"{cost:.0f}")
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
