"""HTTP/1.1 answers to bytes. No I/O: ASGI's messages in, what goes to the client out.

Never: a header that could end its own line, a byte after the end. Head and first piece come out
together, so that an answer that is known whole is one write.
"""

import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from types import MappingProxyType

from kt.runtime.edge.request_parser import BadRequest
from kt.runtime.inbox import Message
from kt.transport.messages import header_lines

SERVER = b"kt"

_BODILESS = frozenset({204, 304})
_OURS = frozenset({b"connection", b"transfer-encoding", b"keep-alive", b"date", b"server"})
"""Headers that the connection decides about, whatever the app says."""

_STATUS_LINES: Mapping[int, bytes] = MappingProxyType(
    {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
)


class AppMistake(Exception):
    """The app broke ASGI's rules: messages out of order, or a body of another length."""


class Stamp:
    """The lines that every answer has, made once per second."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._second = -1
        self._lines = b""

    def lines(self) -> bytes:
        """`date` and `server`."""
        second = int(self._clock())
        if second != self._second:
            date = formatdate(second, usegmt=True).encode()
            self._second, self._lines = second, b"date: %b\r\nserver: %b\r\n" % (date, SERVER)
        return self._lines


class AnswerWriter:
    """One answer: each message of the app becomes the bytes that follow from it.

    `may_keep` is asked when the head is made: whether the connection lives on afterwards.
    """

    def __init__(
        self, stamp: Stamp, *, version: str, is_to_head: bool, may_keep: Callable[[], bool]
    ) -> None:
        self._stamp = stamp
        self._version = version
        self._is_to_head = is_to_head
        self._may_keep = may_keep
        self._start: Message | None = None
        self._left: int | None = None
        self._is_chunked = False
        self._is_silent = False
        self.has_begun = False
        """Whether the head came out."""
        self.is_ended = False
        self.keeps = False
        """Whether the head said that the connection stays open."""

    def bytes_of(self, message: Message) -> bytes:
        """What follows from a message. Raises AppMistake, and ValueError for unusable headers."""
        kind = message["type"]
        if kind == "http.response.start" and not (self._start or self.has_begun):
            if not 200 <= message["status"] <= 999:
                raise AppMistake("an answer that is none")
            self._start = message
            return b""
        if kind == "http.response.body" and (self._start or self.has_begun) and not self.is_ended:
            return self._piece(message.get("body", b""), more=message.get("more_body", False))
        raise AppMistake(f"{kind} is out of order")

    def _piece(self, data: bytes, *, more: bool) -> bytes:
        head = b"" if self._start is None else self._head(self._start, None if more else len(data))
        piece = b"" if self._is_silent else self._framed(data, more=more)
        # NOT before: an answer that breaks its promise never counts as ended.
        self.is_ended = not more
        return head + piece

    def _framed(self, data: bytes, *, more: bool) -> bytes:
        if self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            return chunk if more else chunk + b"0\r\n\r\n"
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0 or (self._left and not more):
                raise AppMistake("the body has another length than was said")
        return data

    def _head(self, start: Message, size: int | None) -> bytes:
        """The head; `size` is the body's, where this is all of it."""
        status: int = start["status"]
        fields = []
        for name, value in start.get("headers", ()):
            if name == b"content-length":
                size = int(value)
            elif name not in _OURS:
                fields.append((name, value))
        lines = header_lines(fields)
        self._start, self.has_begun = None, True
        self._is_silent = self._is_to_head or status in _BODILESS
        framing = self._framing(status, size)
        line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        return b"%b%b%b%b\r\n" % (line, lines, framing, self._stamp.lines())

    def _framing(self, status: int, size: int | None) -> bytes:
        if status in _BODILESS:
            size = None
        elif size is not None:
            self._left = size
        elif self._version == "1.1":
            self._is_chunked = True
        ends_itself = self._is_silent or self._is_chunked or size is not None
        self.keeps = ends_itself and self._may_keep()
        length = b"" if size is None else b"content-length: %d\r\n" % size
        coding = b"transfer-encoding: chunked\r\n" if self._is_chunked else b""
        return length + coding + self._connection()

    def _connection(self) -> bytes:
        if not self.keeps:
            return b"connection: close\r\n"
        return b"connection: keep-alive\r\n" if self._version == "1.0" else b""


def refusal(error: BadRequest, stamp: Stamp) -> bytes:
    """A whole answer that says what is wrong with a request, and that the connection closes."""
    body = f"{error.message}\n".encode()
    return (
        b"%bcontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n%b"
        b"connection: close\r\n\r\n%b"
    ) % (_STATUS_LINES[error.status], len(body), stamp.lines(), body)


def mistake(stamp: Stamp) -> bytes:
    """The answer of an app that gave none."""
    line = _STATUS_LINES[HTTPStatus.INTERNAL_SERVER_ERROR]
    return b"%bcontent-length: 0\r\n%bconnection: close\r\n\r\n" % (line, stamp.lines())
