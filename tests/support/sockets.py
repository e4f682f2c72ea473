"""A raw HTTP/1.1 client over any trio stream, and a listener without sockets for it.

The client sends exactly the bytes it is told to.

Servers must stand clients that no HTTP library lets one write, so this one checks nothing.
"""

import math
from collections.abc import Iterable
from typing import Any

import attrs
import trio
from trio.testing import lockstep_stream_pair, memory_stream_pair

CHUNK = 2**16


@attrs.frozen
class RawResponse:
    """One answer as it stood on the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_complete: bool
    """False where the connection ended before the body did."""

    def header(self, name: str) -> str | None:
        """The first value of a header (lower-case name)."""
        return next((value for key, value in self.headers if key == name), None)


def request_bytes(
    method: str = "GET",
    path: str = "/",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """A well-formed request; `content-length` is added where there is a body."""
    lines = [f"{method} {path} HTTP/1.1", "host: test"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawClient:
    """Reads answers from a stream, keeping what belongs to the next one."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self._buffer = bytearray()
        self._at_end = False

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.stream.send_all(data)

    async def leave(self) -> None:
        """Close the connection."""
        await self.stream.aclose()

    async def receive_until(self, mark: bytes) -> bytes:
        """The bytes up to and with a mark, or all that came if the connection ended before it."""
        while mark not in self._buffer and await self._more():
            pass
        end = self._buffer.find(mark)
        return self._take(len(self._buffer) if end < 0 else end + len(mark))

    async def receive_exactly(self, size: int) -> bytes:
        """That many bytes, fewer if the connection ended before."""
        while len(self._buffer) < size and await self._more():
            pass
        return self._take(min(size, len(self._buffer)))

    async def receive_rest(self) -> bytes:
        """Everything up to the end of the connection; a reset is an end, too."""
        while await self._more():
            pass
        return self._take(len(self._buffer))

    async def receive_response(self) -> RawResponse:
        """The next answer. Raises EOFError if the connection ends before its head does."""
        head = await self.receive_until(b"\r\n\r\n")
        if not head.endswith(b"\r\n\r\n"):
            raise EOFError("the connection ended before an answer")
        status_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = tuple(_split_header(line) for line in lines)
        body, is_complete = await self._receive_body(dict(headers))
        return RawResponse(int(status_line.split()[1]), headers, body, is_complete)

    async def request(
        self,
        method: str = "GET",
        path: str = "/",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> RawResponse:
        """Send a request and wait for its answer."""
        await self.send(request_bytes(method, path, headers, body))
        return await self.receive_response()

    async def receive_chunk(self) -> bytes | None:
        """The next chunk of a chunked body; empty for the last, None if the connection ended."""
        size = await self.receive_until(b"\r\n")
        if not size.endswith(b"\r\n"):
            return None
        data = await self.receive_exactly(int(size, 16) + 2)
        return data[:-2] if data.endswith(b"\r\n") else None

    async def _receive_body(self, headers: dict[str, str]) -> tuple[bytes, bool]:
        if headers.get("transfer-encoding") == "chunked":
            return await self._receive_chunks()
        if "content-length" in headers:
            size = int(headers["content-length"])
            body = await self.receive_exactly(size)
            return body, len(body) == size
        return await self.receive_rest(), True

    async def _receive_chunks(self) -> tuple[bytes, bool]:
        body = bytearray()
        while chunk := await self.receive_chunk():
            body += chunk
        return bytes(body), chunk is not None

    async def _more(self) -> bool:
        if self._at_end:
            return False
        try:
            data = await self.stream.receive_some(CHUNK)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        self._buffer += data
        self._at_end = not data
        return bool(data)

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


def _split_header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


async def open_client(port: int, host: str = "127.0.0.1") -> RawClient:
    """Connect to a listener on this machine."""
    return RawClient(await trio.open_tcp_stream(host, port))


class MemoryListener(trio.abc.Listener[Any]):
    """Hands out streams made of memory, so that servers run under a MockClock.

    With `lockstep`, what is sent waits until it is taken, as towards a client with full buffers.
    """

    def __init__(self, *, lockstep: bool = False) -> None:
        self._pair = lockstep_stream_pair if lockstep else memory_stream_pair
        self._sender, self._streams = trio.open_memory_channel[Any](math.inf)

    async def accept(self) -> Any:
        """The server's end of the next connection."""
        return await self._streams.receive()

    async def aclose(self) -> None:
        """Take no more connections."""
        self._streams.close()
        await trio.lowlevel.checkpoint()

    async def connect(self) -> RawClient:
        """A client with a new connection. Raises trio.BrokenResourceError after the close."""
        ours, theirs = self._pair()
        await self._sender.send(theirs)
        return RawClient(ours)
