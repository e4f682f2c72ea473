"""HTTP/1.1 requests from bytes. No I/O: bytes in, a head and pieces of a body out.

Never: a request that two readers could understand differently. What belongs to the next request is
kept as it came and read when its turn comes.

Theory of operation. llhttp reads; it refuses a length beside chunks, lengths that differ, folded
lines, bare line feeds, spaces before colons and malformed chunks. It cannot be paused, and it has
no limits, so it is given one slice at a time: a whole head, then what is known to belong to the
body. Both a head and a chunked body end with an empty line, so a slice never goes beyond one, and
a message ends where a slice does. Refused here is what llhttp lets pass: other protocols than HTTP,
other versions than 1.0 and 1.1, another number of hosts than one, codings besides `chunked`, and
heads, trailers and chunk extensions without end. An `Upgrade` is taken out of the head, because
httptools would take the body for the new protocol.
"""

import re
from http import HTTPStatus

import attrs
import httptools

MAX_TARGET = 8 * 1024
MAX_HEADER = 16 * 1024
MAX_HEADERS = 100

BODY_OVERHEAD = 16 * 1024
OVERHEAD_PER_BYTE = 16
"""A chunked body may have so many bytes that are not of the body: some, and some for each byte."""

Header = tuple[bytes, bytes]

_END = b"\r\n\r\n"
_LINE = re.compile(rb"(?P<method>[A-Z-]+) (?P<target>[!\"$-~]+) HTTP/(?P<version>\d(\.\d)?)\r\n")
_TARGET = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?]+)?(?P<path>[/?].*|\*|)")
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)
_SPOKEN = (b"1.0", b"1.1")


class BadRequest(Exception):
    """A request that is refused before anybody is asked; its connection is closed."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@attrs.frozen
class RequestHead:
    """The head of one request; names of headers are in lower case, values as they came."""

    method: str
    target: bytes
    """Path and query as they came; of an absolute target what follows the host."""
    headers: tuple[Header, ...]
    version: str
    keeps: bool
    """Whether the client will keep the connection."""
    expects_continue: bool


class RequestParser:
    """The requests of one connection, one after the other: `begin`, then `feed` until `is_done`."""

    def __init__(self, head_bytes: int) -> None:
        self._head_bytes = head_bytes
        self._buffer = bytearray()
        self.begin()

    def begin(self) -> None:
        """Expect the next request. What came of it already is read by the next `feed`."""
        self.head: RequestHead | None = None
        self.pieces: list[bytes] = []
        """What came of the body and was not taken yet; whoever takes it empties the list."""
        self.is_done = False
        self._target = b""
        self._searched = 0
        self._is_line_checked = False
        self._fields: list[Header] = []
        self._hosts = 0
        self._left: int | None = None
        self._coding: bytes | None = None
        self._expect = b""
        self._tail = b""
        self._overhead = 0
        self._size = 0
        # A fresh one, so that nothing of a request is left for the next one.
        self._parser = httptools.HttpRequestParser(self)

    @property
    def waiting(self) -> int:
        """How many bytes came that were not read yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take what came; what is beyond the request waits for the next `begin`.

        Raises BadRequest; nothing may be fed after that.
        """
        self._buffer += data
        if self.head is None:
            self._feed_head()
        while self.head is not None and not self.is_done and self._buffer:
            self._feed_slice()

    def _feed_head(self) -> None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # RFC 9112 2.2: old clients end a body with one
            del buffer[:2]
        end = buffer.find(_END, max(0, self._searched - 3))
        self._searched = len(buffer)
        self._check_line()
        if (len(buffer) if end < 0 else end + len(_END)) > self._head_bytes:
            raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")
        if end >= 0:
            head = self._cut(end + len(_END))
            self._read(_UPGRADE.sub(b"", head) if b"pgrade" in head.lower() else head)

    def _check_line(self) -> None:
        """Refuse a request line as early as it is known to be none."""
        if self._is_line_checked:
            return
        line = _LINE.match(self._buffer)
        if line is not None:
            self._is_line_checked = True
            self._accept_line(line)
        elif b"\n" in self._buffer or not self._may_begin():
            raise _bad("this is not an HTTP/1.1 request line")
        elif len(self._buffer) > MAX_TARGET:
            raise _too_long()

    def _may_begin(self) -> bool:
        return bytes(self._buffer[:2]) in (b"", b"\r") or self._buffer[:1].isupper()

    def _accept_line(self, line: re.Match[bytes]) -> None:
        if line["version"] not in _SPOKEN:
            raise BadRequest(
                HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 and HTTP/1.0 are spoken here"
            )
        if len(line["target"]) > MAX_TARGET:
            raise _too_long()
        if line["method"] == b"CONNECT":
            raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "there are no tunnels here")
        target = _TARGET.fullmatch(line["target"])
        if target is None:
            raise _bad("the target is neither a path nor an absolute URL")
        self._target = (
            target["path"] if target["path"][:1] in (b"/", b"*") else b"/" + target["path"]
        )

    def _feed_slice(self) -> None:
        piece = self._cut(self._slice_size())
        before = self._size
        self._read(piece)
        if self._coding is None:
            return
        self._tail = (self._tail + piece)[-3:]
        self._overhead += len(piece) - (self._size - before)
        if self._overhead > BODY_OVERHEAD + OVERHEAD_PER_BYTE * self._size:
            raise _bad("chunk extensions or trailers without end")

    def _slice_size(self) -> int:
        if self._left is not None:
            size = min(self._left, len(self._buffer))
            self._left -= size
            return size
        # The empty line may have begun in the piece before.
        across = (self._tail + self._buffer[:3]).find(_END)
        if across >= 0:
            return across + len(_END) - len(self._tail)
        end = self._buffer.find(_END)
        return len(self._buffer) if end < 0 else end + len(_END)

    def _cut(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _read(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            raise cause if isinstance(cause, BadRequest) else _bad(_reason(error)) from None
        except httptools.HttpParserUpgrade:
            raise _bad("other protocols are not spoken here") from None

    # ---- llhttp calls these. What they raise stops it, and comes out of `_read`.

    def on_message_begin(self) -> None:
        """Refuse a second request in one slice: the slices would be wrong."""
        if self.is_done:
            raise _bad("the end of the request is not clear")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; those of trailers are only counted."""
        name, value = name.lower(), value.strip(b" \t")
        self._fields.append((name, value))
        if len(self._fields) > MAX_HEADERS or len(name) + len(value) > MAX_HEADER:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise BadRequest(status, "the headers are too many or too large")
        if self.head is None and name in _FRAMING:
            self._note(name, value)

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            self._hosts += 1
            if self._hosts > 1 or not _HOST.fullmatch(value):
                raise _bad("there must be one host, and it must be one")
        elif name == b"content-length":
            self._left = int(value)
        elif name == b"transfer-encoding":
            if self._coding is not None or value.lower() != b"chunked":
                raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "no transfer coding but chunked")
            self._coding = value
        else:
            self._expect = value.lower()

    def on_headers_complete(self) -> None:
        """Complete the head."""
        version = self._parser.get_http_version()
        if version == "1.1" and not self._hosts:
            raise _bad("there is no host header")
        if version != "1.1" and self._coding is not None:
            raise _bad("HTTP/1.0 has no transfer codings")
        self.head = RequestHead(
            method=self._parser.get_method().decode("ascii"),
            target=self._target,
            headers=tuple(self._fields),
            version=version,
            keeps=self._parser.should_keep_alive(),
            expects_continue=version == "1.1" and self._expect == b"100-continue",
        )
        self._fields = []

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body."""
        self._size += len(piece)
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """End the request."""
        self.is_done = True


_FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect"})


def _bad(message: str) -> BadRequest:
    return BadRequest(HTTPStatus.BAD_REQUEST, message)


def _too_long() -> BadRequest:
    return BadRequest(HTTPStatus.REQUEST_URI_TOO_LONG, "the target is too long")


def _reason(error: httptools.HttpParserError) -> str:
    """What llhttp says: it names the rule and never quotes the request."""
    reason = error.args[0] if error.args else ""
    return f"this is not valid HTTP/1.1: {reason}" if isinstance(reason, str) else "not HTTP/1.1"
