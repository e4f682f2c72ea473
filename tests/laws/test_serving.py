"""Laws of the serving edge: cuts change nothing; no bytes and no app stop the server."""

import itertools
import re
from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
import trio.testing
from hypothesis import example, given
from hypothesis import strategies as st
from trio.testing import MockClock

from kt.errors import HouseBug
from kt.plan import Edge
from kt.runtime import server
from kt.runtime.edge import client_stream, connection, hypercorn_edge
from kt.runtime.inbox import ASGIApp, Message, Receive, Send
from tests.support.sockets import MemoryListener, request_bytes

SETTINGS = server.ServeSettings(keep_alive=5.0, send=5.0, drain=5.0, linger=1.0)

EDGES = pytest.mark.parametrize("edge", Edge, ids=lambda edge: edge.value)

PIPELINE = (
    request_bytes("POST", "/one", body=b"first")
    + request_bytes("POST", "/two", [("transfer-encoding", "chunked")])
    + b"3\r\nsec\r\n3;x=y\r\nond\r\n0\r\n\r\n"
    + request_bytes("GET", "/three", [("connection", "close")])
)


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answer with the path and the body."""
    body = scope["path"].encode()
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def exchange(edge: Edge, app: ASGIApp, pieces: list[bytes]) -> tuple[bytes, bool]:
    """All that a client hears for what it sends, and whether the next client is served."""
    listener, drain = MemoryListener(), trio.Event()
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serve, edge, app, listener, drain)
            client = await listener.connect()
            try:
                for piece in pieces:
                    await client.send(piece)
                    await trio.testing.wait_all_tasks_blocked()
            except trio.BrokenResourceError:
                pass  # the server has heard enough
            heard = await client.receive_rest()
            await client.leave()
            after = await listener.connect()
            is_served = (await after.request("GET", "/plain")).status == 200
            await after.leave()
            drain.set()
    return _DATE.sub(b"", heard), is_served


_DATE = re.compile(rb"date: [^\r\n]*\r\n")


async def _serve(edge: Edge, app: ASGIApp, listener: MemoryListener, drain: trio.Event) -> None:
    settings = attrs.evolve(SETTINGS, edge=edge)
    await server.serve(app, [listener], settings=settings, drain=drain, log=lambda line: None)


def run(edge: Edge, app: ASGIApp, pieces: list[bytes]) -> tuple[bytes, bool]:
    """One exchange on a clock that jumps."""
    return trio.run(exchange, edge, app, pieces, clock=MockClock(autojump_threshold=0))


def cut_at(data: bytes, places: set[int]) -> list[bytes]:
    """The data in pieces."""
    bounds = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(bounds)]


def check_cuts(edge: Edge) -> None:
    """The law of cuts."""
    whole, _ = run(edge, echo, [PIPELINE])
    assert [part in whole for part in (b"/onefirst", b"/twosecond", b"/three")] == [True] * 3

    @given(st.sets(st.integers(1, len(PIPELINE) - 1), max_size=20))
    @example(set(range(1, len(PIPELINE))))
    def law(places: set[int]) -> None:
        assert run(edge, echo, cut_at(PIPELINE, places)) == (whole, True)

    law()


@EDGES
def test_where_requests_are_cut_changes_nothing(edge: Edge) -> None:
    check_cuts(edge)


@EDGES
def test_the_law_of_cuts_finds_a_lost_byte(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = client_stream.ClientStream.receive

    async def lossy(self: client_stream.ClientStream) -> bytes:
        data = await receive(self)
        return data[1:] if len(data) in range(2, 100) else data

    monkeypatch.setattr(client_stream.ClientStream, "receive", lossy)
    with pytest.raises((AssertionError, ExceptionGroup)):
        check_cuts(edge)


FRAGMENTS = st.sampled_from(
    [
        request_bytes(),
        request_bytes("POST", "/", body=b"body"),
        request_bytes("HEAD", "/"),
        b"GET / HTTP/1.1\r\n",
        b"POST /x HTTP/1.0\r\n",
        b"CONNECT host:1 HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"host: a\r\n",
        b"content-length: 5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"expect: 100-continue\r\n",
        b"connection: upgrade\r\nupgrade: websocket\r\n",
        b"connection: upgrade\r\nupgrade: h2c\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
    ]
)

MESSAGES = st.lists(
    st.sampled_from(
        [
            {"type": "http.response.start", "status": 200, "headers": []},
            {"type": "http.response.start", "status": 204},
            {"type": "http.response.start", "status": 101},
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]},
            {"type": "http.response.start", "status": 200, "headers": [(b"bad name", b"\n")]},
            {"type": "http.response.body", "body": b"abc", "more_body": True},
            {"type": "http.response.body", "body": b"a"},
            {"type": "http.response.trailers", "headers": []},
            {"type": "nonsense"},
        ]
    ),
    max_size=5,
)


def scripted(messages: list[Message], ending: str) -> ASGIApp:
    """An app that sends what it is told to and ends as it is told to, but serves `/plain`."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/plain":
            await echo(scope, receive, send)
            return
        for message in messages:
            await send(message)
        if ending == "bug":
            raise ValueError
        if ending == "house bug":
            raise HouseBug
        if ending == "group":
            async with trio.open_nursery():
                raise KeyError

    return app


def check_survival(edge: Edge) -> None:
    """The law of survival."""

    @given(
        st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12),
        MESSAGES,
        st.sampled_from(["return", "bug", "house bug", "group"]),
    )
    def law(pieces: list[bytes], messages: list[Message], ending: str) -> None:
        assert run(edge, scripted(messages, ending), pieces)[1]

    law()


@EDGES
def test_no_bytes_and_no_app_stop_the_server(edge: Edge) -> None:
    check_survival(edge)


@EDGES
def test_the_law_of_survival_finds_an_unguarded_app(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unguarded(run: Callable[[], Awaitable[None]], log: object) -> None:
        await run()

    for place in (server, connection, hypercorn_edge):
        monkeypatch.setattr(place, "guarded", unguarded)
    with pytest.raises(BaseExceptionGroup):
        check_survival(edge)
