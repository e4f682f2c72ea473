"""What our own edge does beyond what both do: its limits of time and room, and how it writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from kt.runtime.edge.client_stream import READ
from kt.runtime.inbox import ASGIApp, Message, Receive, Send
from kt.runtime.server import ServeSettings, serve
from tests.support.sockets import MemoryListener, RawClient, request_bytes

SETTINGS = ServeSettings(keep_alive=60.0, head=10.0, body=20.0, send=30.0, linger=1.0)


def autojump(main: Callable[[], Awaitable[None]]) -> None:
    """Run on a clock that jumps to the next deadline."""
    trio.run(main, clock=MockClock(autojump_threshold=0))


@asynccontextmanager
async def served(
    app: ASGIApp, settings: ServeSettings = SETTINGS, *, lockstep: bool = False
) -> AsyncIterator[tuple[MemoryListener, trio.Event]]:
    """Serve over memory, without a line in the log."""
    listener, drain = MemoryListener(lockstep=lockstep), trio.Event()
    lines: list[str] = []
    async with trio.open_nursery() as nursery:
        run = partial(serve, app, [listener], settings=settings, log=lines.append)
        await nursery.start(partial(run, drain=drain))
        yield listener, drain
        nursery.cancel_scope.cancel()
    assert lines == []


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answer with the path and the body; say nothing to who left."""
    body = scope["path"].encode()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def exchange(talk: Callable[[RawClient], Awaitable[None]], app: ASGIApp = echo) -> None:
    """One client's talk with an app."""

    async def main() -> None:
        async with served(app) as (listener, _):
            await talk(await listener.connect())

    autojump(main)


def test_a_head_must_be_there_in_time_however_steadily_it_comes() -> None:
    async def talk(client: RawClient) -> None:
        await trio.sleep(50)
        with suppress(trio.BrokenResourceError):
            for byte in request_bytes("GET", "/" + "x" * 100):
                await client.send(bytes([byte]))
                await trio.sleep(0.5)
        assert trio.current_time() == pytest.approx(50 + SETTINGS.head, abs=0.6)

    exchange(talk)


@pytest.mark.parametrize("piece", [b"", b"x"])
def test_a_body_that_comes_too_slowly_is_told_so(piece: bytes) -> None:
    async def talk(client: RawClient) -> None:
        await client.send(request_bytes("POST", "/", [("content-length", "5000")]))
        for _ in range(19):
            await trio.sleep(1)
            await client.send(piece)
        response = await client.receive_response()
        assert (response.status, response.header("connection")) == (408, "close")
        assert trio.current_time() == SETTINGS.body

    exchange(talk)


def test_a_body_that_makes_progress_has_all_the_time_it_needs() -> None:
    async def talk(client: RawClient) -> None:
        await client.send(request_bytes("POST", "/", [("content-length", "20480")]))
        for _ in range(20):
            await trio.sleep(15)
            await client.send(b"x" * 1024)
        assert (await client.receive_response()).body == b"/" + b"x" * 20480

    exchange(talk)


def test_a_bad_chunk_ends_the_request_and_is_told() -> None:
    async def talk(client: RawClient) -> None:
        await client.send(request_bytes("POST", "/", [("transfer-encoding", "chunked")]))
        await wait_all_tasks_blocked()
        await client.send(b"zz\r\n")
        response = await client.receive_response()
        assert (response.status, response.header("connection")) == (400, "close")
        assert await client.receive_rest() == b""

    exchange(talk)


def test_a_body_is_asked_for_when_somebody_wants_it() -> None:
    async def talk(client: RawClient) -> None:
        expecting = [("expect", "100-continue"), ("content-length", "2")]
        await client.send(request_bytes("POST", "/", expecting))
        assert await client.receive_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"o")
        await wait_all_tasks_blocked()
        await client.send(b"k")
        assert (await client.receive_response()).body == b"/ok"
        await client.send(request_bytes("POST", "/", expecting) + b"ok")
        assert (await client.receive_response()).body == b"/ok"

    exchange(talk)


def test_a_refusal_asks_for_no_body_and_closes() -> None:
    async def refuse(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 413})
        await send({"type": "http.response.body"})

    async def talk(client: RawClient) -> None:
        expecting = [("expect", "100-continue"), ("content-length", "2")]
        await client.send(request_bytes("POST", "/", expecting))
        response = await client.receive_response()
        assert (response.status, response.header("connection")) == (413, "close")

    exchange(talk, refuse)


Pair = trio.StapledStream[trio.abc.SendStream, trio.abc.ReceiveStream]


class Sends:
    """A stream's `send_all`, counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        real = trio.StapledStream.send_all

        async def counted(stream: Pair, data: bytes) -> None:
            self.sizes.append(len(data))
            await real(stream, data)

        monkeypatch.setattr(trio.StapledStream, "send_all", counted)


def test_a_whole_answer_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(client: RawClient) -> None:
        sends = Sends(monkeypatch)
        await client.request("GET", "/")
        assert len(sends.sizes) == 2  # the client's and ours

    exchange(talk)


def test_what_a_client_sends_ahead_is_bounded_and_answered_in_order() -> None:
    async def slow(scope: Message, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, receive)
            await trio.sleep(5)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async def listen(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def main() -> None:
        async with served(slow, lockstep=True) as (listener, _):
            client = await listener.connect()
            ahead = b"".join(request_bytes("GET", f"/{n:05}") for n in range(8000))
            sent = 0
            with trio.move_on_after(4):
                while True:
                    await client.send(ahead[sent : sent + 4096])
                    sent += 4096
            assert sent <= SETTINGS.head_bytes + READ
            for number in range(20):
                assert (await client.receive_response()).body == f"/{number:05}".encode()

    autojump(main)


@pytest.mark.parametrize("sizes", [[2], [1, 1], [4], [1, 3]])
def test_an_answer_of_another_length_than_it_said_is_the_last_one(sizes: list[int]) -> None:
    lines: list[str] = []

    async def liar(scope: Message, receive: Receive, send: Send) -> None:
        length = (b"content-length", b"3")
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        for size in sizes[:-1]:
            await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
        await send({"type": "http.response.body", "body": b"x" * sizes[-1]})

    async def main() -> None:
        listener = MemoryListener()
        async with trio.open_nursery() as nursery:
            run = partial(serve, liar, [listener], settings=SETTINGS, log=lines.append)
            nursery.start_soon(partial(run, drain=trio.Event()))
            client = await listener.connect()
            await client.send(request_bytes() + request_bytes())
            heard = await client.receive_rest()
            nursery.cancel_scope.cancel()
        assert heard.count(b"HTTP/1.1 ") == 1
        assert [line.split(" at ")[0] for line in lines] == ["error: a connection met AppMistake"]

    autojump(main)


def test_an_old_client_is_answered_and_may_stay() -> None:
    async def talk(client: RawClient) -> None:
        await client.send(b"GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        response = await client.receive_response()
        assert (response.body, response.header("connection")) == (b"/a", "keep-alive")
        await client.send(b"GET /b HTTP/1.0\r\n\r\n")
        assert (await client.receive_response()).header("connection") == "close"
        assert await client.receive_rest() == b""

    exchange(talk)


def test_a_connection_ends_after_so_many_requests() -> None:
    async def main() -> None:
        async with served(echo, attrs.evolve(SETTINGS, requests_per_connection=2)) as (listener, _):
            client = await listener.connect()
            assert (await client.request()).header("connection") is None
            assert (await client.request()).header("connection") == "close"
            assert await client.receive_rest() == b""

    autojump(main)


def test_one_client_too_many_is_closed_unheard() -> None:
    async def main() -> None:
        async with served(echo, attrs.evolve(SETTINGS, connections=2)) as (listener, _):
            first, second, third = [await listener.connect() for _ in range(3)]
            assert await third.receive_rest() == b""
            assert (await first.request()).status == 200
            await second.leave()
            await wait_all_tasks_blocked()
            assert (await (await listener.connect()).request()).status == 200

    autojump(main)


def test_a_client_that_comes_with_the_drain_is_closed_at_once() -> None:
    async def main() -> None:
        async with served(echo) as (listener, drain):
            client = await listener.connect()
            drain.set()
            await client.receive_rest()
            assert trio.current_time() == 0

    autojump(main)


def test_a_path_is_decoded_and_its_bytes_are_told_as_they_came() -> None:
    seen: list[tuple[object, ...]] = []

    async def note(scope: Message, receive: Receive, send: Send) -> None:
        seen.append((scope["path"], scope["raw_path"], scope["query_string"]))
        await echo(scope, receive, send)

    async def talk(client: RawClient) -> None:
        await client.request("GET", "/a%2Fb%ff?c=%20")

    exchange(talk, note)
    assert seen == [("/a/b\N{REPLACEMENT CHARACTER}", b"/a%2Fb%ff", b"c=%20")]
