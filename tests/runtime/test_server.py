"""The serving edge: what clients and apps may do to it, over memory streams and loopback sockets."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, trio_test, wait_all_tasks_blocked

from kt.errors import HouseBug, UsageError
from kt.runtime.inbox import ASGIApp, Message, Receive, Send
from kt.runtime.server import ServeSettings, bound_port, open_listeners, serve
from tests.support.sockets import MemoryListener, RawClient, open_client, request_bytes

SETTINGS = ServeSettings(keep_alive=60.0, send=20.0, drain=10.0, linger=2.0)

autojump = partial(trio.run, clock=MockClock(autojump_threshold=0))


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
    app: ASGIApp, settings: ServeSettings = SETTINGS, *, lockstep: bool = False
) -> AsyncIterator[Served]:
    """Serve over memory; at the end of the block the server is cancelled if it still runs."""
    one = Served(MemoryListener(lockstep=lockstep), trio.Event(), trio.Event(), [])

    async def run(task_status: trio.TaskStatus[None]) -> None:
        await serve(
            app,
            [one.listener],
            settings=settings,
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
        body += message["body"]
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

    def __init__(self, size: int = 10, pause: float = 1.0) -> None:
        self.size = size
        self.pause = pause
        self.left: list[float] = []
        self.started = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await read_body(receive)
        self.started += 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stream, send)
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.append(trio.current_time())
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
        assert [name for name, _ in first.headers] == ["content-length"]
        assert server.lines == []

    autojump(main)
