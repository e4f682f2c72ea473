"""The provider of the benchmarks: answers a chat request at once, as a stream, or never ends.

In: any `POST` on a loopback port, asked for by the request itself: `"stream": true` gets CHUNKS
events GAP seconds apart, the model `idle` the first of them and then silence. Out: fixed bytes.
Never: the cost of a real parser, because it shares a core with the load generator.
"""

import asyncio
import json
import re
import sys
from collections.abc import Mapping

CHUNKS = 20
GAP = 0.005
TEXT = (
    "Here is the summary you asked for. The quarterly review covered onboarding, renewal risk and "
    "the support backlog. Several accounts asked for a call back next week about invoices and "
    "delivery dates, and the team agreed on owners for each of them. "
)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STREAM = re.compile(rb'"stream": ?true')
IDLE = re.compile(rb'"model": ?"idle"')


def chat(kind: str, choice: Mapping[str, object], **more: object) -> bytes:
    """A body in the shape of chat completions."""
    head = {"id": "chatcmpl-mock", "object": kind, "created": 1750000000, "model": "mock"}
    return json.dumps({**head, "choices": [{"index": 0, **choice}], **more}).encode()


def whole() -> bytes:
    """The answer in one piece."""
    message = {"role": "assistant", "content": TEXT}
    usage = {"prompt_tokens": 212, "completion_tokens": 48, "total_tokens": 260}
    body = chat("chat.completion", {"message": message, "finish_reason": "stop"}, usage=usage)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def event(delta: dict[str, str], reason: str | None, after: bytes = b"") -> bytes:
    """One event in one chunk."""
    choice = {"delta": delta, "finish_reason": reason}
    data = b"data: " + chat("chat.completion.chunk", choice) + b"\n\n" + after
    return b"%x\r\n%s\r\n" % (len(data), data)


def streamed() -> list[bytes]:
    """The answer in pieces; the first one says something, too."""
    words = [f"word{number} " for number in range(CHUNKS - 2)]
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    first = head + event({"role": "assistant", "content": "Certainly. "}, None)
    last = event({}, "stop", after=b"data: [DONE]\n\n") + b"0\r\n\r\n"
    return [first, *(event({"content": word}, None) for word in words), last]


class Provider(asyncio.Protocol):
    """One connection."""

    WHOLE = whole()
    STREAMED = streamed()

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while (end := self._end()) is not None:
            body = bytes(self._received[:end])
            del self._received[:end]
            self._answer(body)

    def _end(self) -> int | None:
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = LENGTH.search(self._received, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        return end if len(self._received) >= end else None

    def _answer(self, request: bytes) -> None:
        if STREAM.search(request) is None:
            self._transport.write(self.WHOLE)
            return
        self._transport.write(self.STREAMED[0])
        if IDLE.search(request) is None:
            loop = asyncio.get_running_loop()
            start = loop.time()
            for number, piece in enumerate(self.STREAMED[1:], 1):
                loop.call_at(start + GAP * number, self._write, piece)

    def _write(self, piece: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(piece)


async def main() -> None:
    """Serve until the process is ended; the first line printed is the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
