"""What is seen of a gateway from the outside of its app: why it does not start, its sockets."""

import contextlib
import gc
import io
import re
import socket
from functools import partial
from pathlib import Path

import trio

from kt.cli import run as kt
from kt.compiler import Settings, Upstream, compile_source
from kt.runtime.connecting import Network, upstreams
from kt.runtime.gateway import GatewayOptions, run_gateway
from kt.source import Source


def starts(text: str, folder: Path) -> str:
    """Start a gateway that cannot serve, and say why it did not."""
    config = folder / "kt.yaml"
    config.write_text(text)
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = kt(["gateway", "run", "--policy-config", str(config)])
    return f"{code} {said.getvalue()}"


def listens(text: str, folder: Path) -> str:
    """Start a gateway whose port is taken, which it then names."""
    port = compile_source(Source("kt.yaml", text)).plan.listen_port
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else has it, which is as good
            taken.bind(("127.0.0.1", port))
            taken.listen()
        return starts(text, folder)


ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def keeps_alive(text: str, _folder: Path) -> str:
    """Ask a provider on this machine, and look at the options of the socket to it."""
    seen: list[str] = []
    trio.run(_keeps_alive, text, seen)
    return " ".join(seen)


async def _keeps_alive(text: str, seen: list[str]) -> None:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, _provide, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        settings = Settings(upstreams=(Upstream(f"http://127.0.0.1:{port}"),))
        plan = compile_source(Source("kt.yaml", text), settings).plan
        async with upstreams(plan, {}, frozenset(), Network()) as (asked,):
            async with asked.ask("/v1/x", {}, b"{}") as answer:
                await answer.whole(100)
            seen += _options_towards(port)
        nursery.cancel_scope.cancel()


async def _provide(stream: trio.SocketStream) -> None:
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(65536):
            await stream.send_all(ANSWER)


def _options_towards(port: int) -> list[str]:
    """What is set on every open socket to a port: the transport shows none of its sockets."""
    options = (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    )
    open_ones = (
        one.socket
        for one in gc.get_objects()
        if isinstance(one, trio.SocketStream) and one.socket.fileno() >= 0
    )
    return [
        str([one.getsockopt(*option) for option in options])
        for one in open_ones
        if one.getpeername()[1] == port
    ]


LARGE = b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-large: %s\r\n\r\n" % (b"a" * 4096)
ASKED = (
    LARGE,
    b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
    b"BAD\x00\r\n\r\n",
    b"GET / HTTP/2.7\r\n\r\n",
)


def answers(text: str, folder: Path) -> str:
    """Serve on this machine, and look at the bytes that a client gets."""
    seen: list[str] = []
    trio.run(_answers, text, folder, seen)
    return re.sub(
        r"(?im)^(date|x-request-id|traceparent|x-keeptrusts-plan): .*$", r"\1", "\n".join(seen)
    )


async def _answers(text: str, folder: Path, seen: list[str]) -> None:
    plan = compile_source(Source("kt.yaml", text)).plan
    options = GatewayOptions(
        host="127.0.0.1",
        port=0,
        log=seen.append,
        audit_path=folder / "audit.jsonl",
        gateway_id="test",
    )
    drain = trio.Event()
    async with trio.open_nursery() as nursery:
        running = await nursery.start(run_gateway, plan, options, drain)
        for asked in ASKED:
            stream = await trio.open_tcp_stream("127.0.0.1", running.port)
            await stream.send_all(asked)
            await stream.send_eof()
            seen.append(b"".join([piece async for piece in stream]).decode())
            await stream.aclose()
        drain.set()
