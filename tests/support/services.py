"""A moderation service in memory, as a script says: its answers, its delays, its faults.

In: bytes of HTTP/1.1 on streams that it opens itself. Out: what it was asked, and the connections
that are still open. Never: sockets; anything of kt's own protocol code, which it stands against.
"""

import json
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio
from trio.testing import memory_stream_pair

from kt.transport.failures import NotConnected

# Any: JSON.


@attrs.frozen(kw_only=True)
class Behavior:
    """What becomes of one question."""

    value: Any = attrs.field(factory=lambda: {"verdict": "allow"})
    body: bytes | None = None
    """Instead of the value."""
    status: int = 200
    headers: tuple[str, ...] = ()
    refuses: bool = False
    """No connection comes about."""
    delay: float = 0.0
    stalls: bool = False
    """Nothing comes after the head."""
    is_cut: bool = False
    """The connection ends in the middle of the body."""
    drip: float = 0.0
    """Seconds before each byte of the body."""
    is_endless: bool = False
    """The body never ends."""

    def answer(self) -> tuple[bytes, bytes]:
        """Head and body."""
        body = json.dumps(self.value).encode() if self.body is None else self.body
        lines = [f"HTTP/1.1 {self.status} Said", *self.headers, f"content-length: {len(body)}"]
        if self.is_endless:
            lines[-1] = f"content-length: {10**9}"
        return ("\r\n".join(lines) + "\r\n\r\n").encode(), body


@attrs.frozen
class Asked:
    """A question that came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@attrs.define
class Service:
    """Behaves as `behaves` says of each question, in a nursery of the test."""

    nursery: trio.Nursery
    behaves: Callable[[Any], Behavior] = attrs.field(default=lambda _: Behavior())
    asked: list[Asked] = attrs.field(factory=list)
    open: int = 0
    """Connections that the gateway keeps."""
    dialed: list[tuple[str, int]] = attrs.field(factory=list)

    async def dial(self, host: str, port: int, tls: ssl.SSLContext | None) -> trio.abc.Stream:
        """Open a connection to it."""
        await trio.lowlevel.checkpoint()
        self.dialed.append((host, port))
        if self.behaves({}).refuses:
            raise NotConnected("refused")
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(self._serve, theirs)
        return ours

    async def _serve(self, stream: trio.abc.Stream) -> None:
        self.open += 1
        try:
            while (asked := await _question(stream)) is not None:
                self.asked.append(asked)
                await _acting(stream, self.behaves(asked.value))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.open -= 1
            await stream.aclose()


async def _acting(stream: trio.abc.Stream, how: Behavior) -> None:
    """Act, and stop when the other side is gone."""
    async with trio.open_nursery() as nursery:

        async def watch() -> None:
            assert not await stream.receive_some(1), "a question before the last one's answer"
            nursery.cancel_scope.cancel()

        nursery.start_soon(watch)
        failure: trio.BrokenResourceError | trio.ClosedResourceError | None = None
        try:
            await _act(stream, how)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _act(stream: trio.abc.Stream, how: Behavior) -> None:
    head, body = how.answer()
    await trio.sleep(how.delay)
    await stream.send_all(head)
    if how.stalls:
        await trio.sleep_forever()  # until the other side is gone
    if how.is_cut:
        await stream.send_all(body[: len(body) // 2])
        raise trio.ClosedResourceError
    if how.is_endless:
        while True:
            await stream.send_all(b"x" * 65536)
    for at in range(len(body)) if how.drip else ():
        await trio.sleep(how.drip)
        await stream.send_all(body[at : at + 1])
    if not how.drip:
        await stream.send_all(body)


async def _question(stream: trio.abc.Stream) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = await stream.receive_some(2**20)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.partition(":") for line in head.decode().split("\r\n")[1:]]
    headers = {name.lower(): value.strip() for name, _, value in lines}
    assert re.match(rb"POST [^ ]+ HTTP/1\.1", head)
    while len(body) < int(headers["content-length"]):
        body += await stream.receive_some(2**20)
    return Asked(headers, body)
