"""Fake providers as httpx transports: pauses, faults, streams without end.

In: what to answer. Out: what was asked, and whether each answer was read to its end or was closed.
Never: sockets. They call the transport's trace hook as httpcore does, so connect deadlines apply.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import attrs
import httpx
import orjson
import trio


@attrs.define
class Body(httpx.AsyncByteStream):
    """An answer's body: pieces, a pause before each, and how it ends."""

    pieces: Iterable[bytes]
    pause: float = 0.0
    is_cut: bool = False
    """The connection breaks after the last piece."""
    stalls: bool = False
    """Nothing comes after the last piece, not even an end."""
    is_exhausted: bool = False
    is_closed: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Send the pieces."""
        for piece in self.pieces:
            await trio.sleep(self.pause)
            yield piece
        if self.stalls:
            await trio.sleep_forever()
        if self.is_cut:
            raise httpx.RemoteProtocolError("peer closed connection without complete message body")
        self.is_exhausted = True

    async def aclose(self) -> None:
        """Note that nobody reads any more."""
        self.is_closed = True


@attrs.define
class FakeProvider(httpx.AsyncBaseTransport):
    """Answers each request by calling `answer`; `asked` holds what came."""

    answer: Callable[[httpx.Request], httpx.Response]
    connect_seconds: float = 0.0
    refuses: bool = False
    """No connection comes about."""
    head_seconds: float = 0.0
    asked: list[httpx.Request] = attrs.field(factory=list)
    bodies: list[Body] = attrs.field(factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Behave like a connection pool with one provider behind it."""
        trace = request.extensions["trace"]
        await trace("connection.connect_tcp.started", {})
        await trio.sleep(self.connect_seconds)
        if self.refuses:
            raise httpx.ConnectError("connection refused")
        await trace("http11.send_request_headers.started", {})
        await request.aread()
        self.asked.append(request)
        await trio.sleep(self.head_seconds)
        response = self.answer(request)
        if isinstance(response.stream, Body):
            self.bodies.append(response.stream)
        return response

    def texts(self) -> list[str]:
        """The bodies that were received."""
        return [request.content.decode() for request in self.asked]


def json_answer(value: object, status: int = 200, **headers: str) -> httpx.Response:
    """A complete JSON answer."""
    body = Body([orjson.dumps(value)])
    return httpx.Response(
        status, headers={"content-type": "application/json", **headers}, stream=body
    )


def completion(text: str, **message: object) -> dict[str, object]:
    """A chat completion with one choice."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    }


def stream_answer(body: Body) -> httpx.Response:
    """An event stream."""
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    return httpx.Response(200, headers=headers, stream=body)


def chunk(delta: dict[str, object], *, index: int = 0, finish: str | None = None) -> bytes:
    """One event of a streamed chat completion."""
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: " + orjson.dumps(value) + b"\n\n"


def streamed(pieces: Sequence[str]) -> bytes:
    """A whole streamed answer: role, the pieces of its text, finish, end marker."""
    return b"".join(
        [
            chunk({"role": "assistant", "content": ""}),
            *(chunk({"content": piece}) for piece in pieces),
            chunk({}, finish="stop"),
            b"data: [DONE]\n\n",
        ]
    )


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """The same bytes in pieces."""
    places = [0, *sorted({place for place in at if 0 < place < len(data)}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places)]
