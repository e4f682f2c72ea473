"""The serving edge: what clients and apps may do to it, over memory streams and loopback."""

import math
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import attrs
import pytest
import trio
from trio.testing import MockClock, trio_test, wait_all_tasks_blocked

from kt.errors import HouseBug, UsageError
from kt.plan import Edge
from kt.runtime.inbox import ASGIApp, Message, Receive, Send
from kt.runtime.server import ServeSettings, bound_port, open_listeners, serve
from tests.support.sockets import MemoryListener, RawClient, open_client, request_bytes

SETTINGS = ServeSettings(keep_alive=60.0, head=60.0, send=20.0, drain=10.0, linger=2.0)


@pytest.fixture(autouse=True, params=Edge, ids=lambda edge: edge.value)
def both_edges(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file is about both edges."""
    settings = attrs.evolve(SETTINGS, edge=request.param)
    monkeypatch.setattr(sys.modules[__name__], "SETTINGS", settings)


def autojump(main: Callable[[], Awaitable[None]]) -> None:
    """Run on a clock that jumps to the next deadline."""
    trio.run(main, clock=MockClock(autojump_threshold=0))


@attrs.frozen
class Served:
    """A server under test."""

    listener: MemoryListener
    drain: trio.Event
    ended: trio.Event
    lines: list[str]

    async def connect(self) -> RawClient:
        """A new client."""
        return await self.listener.connect()


@asynccontextmanager
async def served(
    app: ASGIApp, settings: ServeSettings | None = None, *, lockstep: bool = False
) -> AsyncIterator[Served]:
    """Serve over memory; at the end of the block the server is cancelled if it still runs."""
    one = Served(MemoryListener(lockstep=lockstep), trio.Event(), trio.Event(), [])

    async def run(task_status: trio.TaskStatus[None]) -> None:
        await serve(
            app,
            [one.listener],
            settings=settings or SETTINGS,
            drain=one.drain,
            log=one.lines.append,
            task_status=task_status,
        )
        one.ended.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: run(task_status))
        yield one
        nursery.cancel_scope.cancel()


def head(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    """The first message of an answer."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes = b"", *, more: bool = False) -> Message:
    """A message with a part of the body."""
    return {"type": "http.response.body", "body": body, "more_body": more}


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise EOFError
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answer with what was sent."""
    body = await read_body(receive)
    text = f"{scope['method']} {scope['path']} ".encode() + body
    await send(head(200, (b"content-length", str(len(text)).encode())))
    await send(piece(text))


class Watching:
    """Streams until the client leaves, and notes when that was."""

    def __init__(self, size: int = 10, pause: float = 1.0, clients: int = 1) -> None:
        self.size = size
        self.pause = pause
        self.clients = clients
        self.left: list[float] = []
        self.started = 0
        self.has_left = trio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await read_body(receive)
        self.started += 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stream, send)
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.append(trio.current_time())
            if len(self.left) == self.clients:
                self.has_left.set()
            nursery.cancel_scope.cancel()

    async def _stream(self, send: Send) -> None:
        await send(head())
        while True:
            await send(piece(b"x" * self.size, more=True))
            await trio.sleep(self.pause)


def test_a_request_is_answered_and_the_connection_is_kept() -> None:
    async def main() -> None:
        async with served(echo) as server:
            client = await server.connect()
            first = await client.request("POST", "/a", body=b"one")
            second = await client.request("GET", "/b")
        assert (first.status, first.body) == (200, b"POST /a one")
        assert (second.status, second.body) == (200, b"GET /b ")
        assert {"content-length", "date"} <= {name for name, _ in first.headers}
        assert server.lines == []

    autojump(main)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def main() -> None:
        async with served(echo) as server:
            client = await server.connect()
            await client.send(b"".join(request_bytes("GET", f"/{n}") for n in range(5)))
            bodies = [(await client.receive_response()).body for _ in range(5)]
        assert bodies == [f"GET /{n} ".encode() for n in range(5)]

    autojump(main)


def test_a_request_that_comes_byte_by_byte_is_answered() -> None:
    async def main() -> None:
        async with served(echo) as server:
            client = await server.connect()
            for byte in request_bytes("POST", "/", body=b"slow"):
                await client.send(bytes([byte]))
                await trio.sleep(0.1)
            assert (await client.receive_response()).body == b"POST / slow"

    autojump(main)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 200_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
    ids=["tls", "no host", "huge head", "negative length", "http/2"],
)
def test_nonsense_is_answered_and_the_connection_closed(data: bytes, status: int) -> None:
    async def main() -> None:
        async with served(echo) as server:
            client = await server.connect()
            await client.send(data)
            response = await client.receive_response()
            assert response.status == status
            assert response.header("connection") == "close"
            assert await client.receive_rest() == b""
            assert (await (await server.connect()).request()).status == 200
        assert server.lines == []

    autojump(main)


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_an_upgrade_is_ignored_and_the_plain_request_answered(upgrade: str) -> None:
    headers = [
        ("connection", "upgrade, http2-settings"),
        ("upgrade", upgrade),
        ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ]

    async def main() -> None:
        async with served(echo) as server:
            client = await server.connect()
            assert (await client.request("GET", "/up", headers)).body == b"GET /up "
            assert (await client.request("GET", "/after")).body == b"GET /after "

    autojump(main)


def test_a_half_sent_head_is_closed_after_keep_alive() -> None:
    async def main() -> None:
        async with served(echo) as server:
            client = await server.connect()
            await client.send(b"GET / HT")
            assert await client.receive_rest() == b""
            assert trio.current_time() == SETTINGS.keep_alive

    autojump(main)


def test_a_client_that_leaves_mid_stream_is_told_to_the_app_at_once() -> None:
    async def main() -> None:
        app = Watching()
        async with served(app) as server:
            client = await server.connect()
            await client.send(request_bytes())
            await client.receive_until(b"x")
            await trio.sleep(4.5)
            await client.leave()
            await wait_all_tasks_blocked()
            assert app.left == [4.5]

    autojump(main)


def test_a_half_closed_client_counts_as_gone() -> None:
    async def main() -> None:
        app = Watching()
        async with served(app) as server:
            client = await server.connect()
            await client.send(request_bytes())
            await client.receive_until(b"x")
            await client.stream.send_eof()
            await client.receive_rest()
            assert app.left == [0.0]

    autojump(main)


def test_a_client_that_leaves_behind_a_pipelined_request_is_noticed() -> None:
    async def main() -> None:
        app = Watching()
        async with served(app) as server:
            client = await server.connect()
            await client.send(request_bytes() + request_bytes())
            await client.receive_until(b"x")
            await client.leave()
            await wait_all_tasks_blocked()
            assert (app.left, app.started) == ([0.0], 1)

    autojump(main)


def test_a_client_that_takes_nothing_is_gone_after_the_send_limit() -> None:
    async def main() -> None:
        app = Watching()
        async with served(app, lockstep=True) as server:
            client = await server.connect()
            await client.send(request_bytes())
            await trio.sleep(SETTINGS.send + 0.5)
            assert app.left == [SETTINGS.send]
            assert (await client.receive_rest()).count(b"x" * app.size) <= 1  # what was in flight

    autojump(main)


def test_a_client_that_takes_slowly_but_steadily_gets_everything() -> None:
    size = 5 * 2**16

    async def big(scope: Message, receive: Receive, send: Send) -> None:
        await read_body(receive)
        await send(head(200, (b"content-length", str(size).encode())))
        await send(piece(b"x" * size))

    async def main() -> None:
        async with served(big, lockstep=True) as server:
            client = await server.connect()
            await client.send(request_bytes())
            got = len(await client.receive_until(b"\r\n\r\n")) * 0
            while got < size:
                await trio.sleep(SETTINGS.send * 0.9)
                got += len(await client.receive_exactly(2**16))
            assert got == size
            assert trio.current_time() > 4 * SETTINGS.send

    autojump(main)


def test_an_app_that_raises_gives_a_500_and_the_server_lives_on() -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/group":
            async with trio.open_nursery():
                raise HouseBug("secret text")
        if scope["path"] == "/bug":
            raise ValueError("secret text")
        await echo(scope, receive, send)

    async def main() -> None:
        async with served(broken) as server:
            for path in ("/bug", "/group"):
                client = await server.connect()
                response = await client.request("GET", path)
                assert (response.status, response.body) == (500, b"")
            assert (await (await server.connect()).request("GET", "/")).status == 200
        assert [line.split(" at ")[0] for line in server.lines] == [
            "error: a connection met ValueError",
            "error: a connection met HouseBug",
        ]
        assert "secret" not in "".join(server.lines)

    autojump(main)


def test_an_app_that_raises_in_its_answer_cuts_it() -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        await send(head())
        await send(piece(b"begun", more=True))
        raise ValueError

    async def main() -> None:
        async with served(broken) as server:
            client = await server.connect()
            response = await client.request()
            assert (response.status, response.body, response.is_complete) == (200, b"begun", False)

    autojump(main)


def test_an_early_answer_reaches_a_client_that_is_still_sending() -> None:
    async def refuse(scope: Message, receive: Receive, send: Send) -> None:
        await send(head(413, (b"content-length", b"0")))
        await send(piece())

    async def main() -> None:
        async with served(refuse) as server:
            client = await server.connect()
            await client.send(request_bytes("POST", "/", [("content-length", "10000000")]))
            for _ in range(100):
                await client.send(b"y" * 10_000)
            assert (await client.receive_response()).status == 413
            assert await client.receive_rest() == b""
            await trio.sleep(SETTINGS.linger - 0.5)
            await client.send(b"y" * 10_000)
            await trio.sleep(0.6)
            with pytest.raises(trio.BrokenResourceError):
                await client.send(b"y" * 10_000)

    autojump(main)


def test_an_app_that_does_not_read_the_body_slows_the_client_down() -> None:
    async def idle(scope: Message, receive: Receive, send: Send) -> None:
        await trio.sleep(100)

    async def main() -> None:
        async with served(idle, lockstep=True) as server:
            client = await server.connect()
            await client.send(request_bytes("POST", "/", [("content-length", "10000000")]))
            sent = 0
            with trio.move_on_after(50):
                while True:
                    await client.send(b"y" * 2**16)
                    sent += 2**16
            assert sent < 20 * 2**16

    autojump(main)


def test_200_clients_come_and_leave_and_nothing_is_left_of_them() -> None:
    async def main() -> None:
        app = Watching()
        async with served(app) as server:
            await wait_all_tasks_blocked()
            before = trio.lowlevel.current_statistics().tasks_living
            clients = [await server.connect() for _ in range(200)]
            for number, client in enumerate(clients):
                await client.send(request_bytes() if number % 2 else b"GET / HT")
            await trio.sleep(2.5)
            for client in clients:
                await client.leave()
            await wait_all_tasks_blocked()
            assert len(app.left) == 100
            assert trio.lowlevel.current_statistics().tasks_living == before

    autojump(main)


def test_a_drain_closes_idle_connections_at_once_and_lets_requests_end() -> None:
    async def slow(scope: Message, receive: Receive, send: Send) -> None:
        await trio.sleep(5)
        await echo(scope, receive, send)

    async def main() -> None:
        async with served(slow) as server:
            idle, half, busy = [await server.connect() for _ in range(3)]
            await half.send(b"GET / HT")
            await busy.send(request_bytes("POST", "/busy", body=b"!"))
            await trio.sleep(1)
            server.drain.set()
            assert await idle.receive_rest() == b""
            assert await half.receive_rest() == b""
            assert trio.current_time() == 1
            response = await busy.receive_response()
            assert (response.body, response.header("connection")) == (b"POST /busy !", "close")
            await busy.leave()
            await server.ended.wait()
            assert trio.current_time() == 5
            with pytest.raises(trio.BrokenResourceError):
                await server.connect()

    autojump(main)


async def stuck_in_send(scope: Message, receive: Receive, send: Send) -> None:
    """Send without end."""
    await send(head())
    while True:
        await send(piece(b"x" * 100, more=True))
        await trio.sleep(0.1)


async def deaf(scope: Message, receive: Receive, send: Send) -> None:
    """Never hear that the client left."""
    await trio.sleep_forever()


async def wanting_body(scope: Message, receive: Receive, send: Send) -> None:
    """Wait for a body that never comes."""
    with suppress(EOFError):
        await read_body(receive)


@pytest.mark.parametrize("app", [stuck_in_send, deaf, wanting_body])
@pytest.mark.parametrize("leaves", [True, False])
def test_a_drain_is_bounded_whatever_client_and_app_do(app: ASGIApp, leaves: bool) -> None:
    settings = attrs.evolve(SETTINGS, send=1000.0, keep_alive=1000.0)

    async def main() -> None:
        async with served(app, settings, lockstep=True) as server:
            clients = [await server.connect() for _ in range(3)]
            for client in clients:
                await client.send(request_bytes("POST", "/", [("content-length", "9")]))
            await trio.sleep(1)
            if leaves:
                await clients[0].leave()
            server.drain.set()
            await server.ended.wait()
            assert trio.current_time() <= 1 + settings.drain
        assert server.lines == []

    autojump(main)


def test_a_server_that_is_cancelled_ends_at_once_in_the_middle_of_sends() -> None:
    settings = attrs.evolve(SETTINGS, send=1000.0)

    async def main() -> None:
        async with served(stuck_in_send, settings, lockstep=True) as server:
            client = await server.connect()
            await client.send(request_bytes())
            await trio.sleep(3)
        assert trio.current_time() == 3

    autojump(main)


def test_an_app_that_sends_to_nobody_does_not_keep_the_others_from_running() -> None:
    async def endless(scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/plain":
            await echo(scope, receive, send)
        await send(head())
        while True:
            await send(piece(b"x", more=True))

    async def main() -> None:
        async with served(endless) as server:
            gone = await server.connect()
            await gone.send(request_bytes())
            await gone.receive_until(b"x")
            await gone.leave()
            assert (await (await server.connect()).request("GET", "/plain")).status == 200

    trio.run(main)


def test_the_interrupt_of_a_user_is_not_taken_for_a_bug() -> None:
    async def interrupted(scope: Message, receive: Receive, send: Send) -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        async with served(interrupted) as server:
            await (await server.connect()).send(request_bytes())
            await trio.sleep(1)

    with pytest.raises(BaseExceptionGroup) as caught:
        autojump(main)
    assert caught.value.split(KeyboardInterrupt)[1] is None


@pytest.mark.slow
@trio_test
async def test_it_serves_on_a_real_port() -> None:
    listeners = await open_listeners("127.0.0.1", 0)
    port = bound_port(listeners)
    drain = trio.Event()
    lines: list[str] = []
    async with trio.open_nursery() as nursery:
        run = partial(serve, echo, listeners, settings=SETTINGS, drain=drain, log=lines.append)
        await nursery.start(run)
        client = await open_client(port)
        assert (await client.request("POST", "/", body=b"hi")).body == b"POST / hi"
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}: "):
            await open_listeners("127.0.0.1", port)
        drain.set()
        assert await client.receive_rest() == b""
        await client.leave()
    assert lines == []


@pytest.mark.slow
@trio_test
async def test_a_real_client_that_stops_reading_is_reset() -> None:
    app = Watching(size=2**20, pause=0.0)
    listeners = await open_listeners("127.0.0.1", 0)
    settings = attrs.evolve(SETTINGS, send=0.2)
    async with trio.open_nursery() as nursery:
        run = partial(serve, app, listeners, settings=settings, drain=trio.Event(), log=no_log)
        await nursery.start(run)
        client = await open_client(bound_port(listeners))
        await client.send(request_bytes())
        with trio.fail_after(10):
            await app.has_left.wait()
            with pytest.raises(trio.BrokenResourceError):
                await drain_raw(client.stream)
        await client.leave()
        nursery.cancel_scope.cancel()


async def drain_raw(stream: trio.abc.ReceiveStream) -> None:
    """Read to the end, which may be a reset."""
    while await stream.receive_some(2**20):
        pass


def no_log(line: str) -> None:
    """Where nothing may be logged."""
    raise AssertionError(line)


@pytest.mark.slow
@trio_test
async def test_real_clients_that_leave_are_forgotten() -> None:
    app = Watching(pause=0.01, clients=200)
    listeners = await open_listeners("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        run = partial(serve, app, listeners, settings=SETTINGS, drain=trio.Event(), log=no_log)
        await nursery.start(run)
        before = trio.lowlevel.current_statistics().tasks_living
        clients = [await open_client(bound_port(listeners)) for _ in range(200)]
        for client in clients:
            await client.send(request_bytes())
        for client in clients:
            await client.receive_until(b"x")
            await client.leave()
        with trio.fail_after(10):
            await app.has_left.wait()
            await wait_all_tasks_blocked(0.05)
        assert len(app.left) == 200
        assert trio.lowlevel.current_statistics().tasks_living == before
        nursery.cancel_scope.cancel()


@trio_test
async def test_an_address_that_is_not_ours_is_a_users_mistake() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 203\.0\.113\.1:80"):
        await open_listeners("203.0.113.1", 80)
    with pytest.raises(UsageError):
        await open_listeners("127.0.0.1", 70_000)


def test_a_drain_without_the_cut_would_not_end() -> None:
    """The test of the drain's test: hypercorn's own shielded send, planted back, outlasts it."""

    async def main() -> None:
        settings = attrs.evolve(SETTINGS, send=math.inf)
        async with served(stuck_in_send, settings, lockstep=True) as server:
            client = await server.connect()
            await client.send(request_bytes())
            await trio.sleep(1)
            server.drain.set()
            with trio.move_on_after(settings.drain - 0.5):
                await server.ended.wait()
            assert not server.ended.is_set()
            await server.ended.wait()

    autojump(main)
