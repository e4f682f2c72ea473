"""HTTP/1.1 answers from bytes. No I/O: bytes in, a head and pieces of a body out.

llhttp is strict about framing: a length twice, a length beside chunks, bare line feeds, folded
lines and bad chunks are errors. What it lets pass is refused here: other protocols and versions,
transfer codings besides `chunked`, a switch of protocols, and heads, trailers and chunk extensions
without end.
"""

import httptools

from kt.transport.failures import BadAnswer
from kt.transport.messages import AnswerHead, Header

MAX_OVERHEAD = 64 * 1024
"""How many bytes may come that are no part of a body: heads, trailers, chunk extensions."""
MAX_HEADERS = 100

_OPENING = b"HTTP/1."
_VERSIONS = ("1.0", "1.1")


class AnswerParser:
    """The answers of one connection, one after the other: `begin`, then `feed` until `is_done`."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.head: AnswerHead | None = None
        self.pieces: list[bytes] = []
        """What came of the body and was not taken yet; whoever takes it empties the list."""
        self.is_done = True
        self.can_reuse = True
        """Whether the connection may carry another exchange, once this one is done."""

    def begin(self, *, is_to_head: bool = False) -> None:
        """Expect an answer; one to a HEAD request has no body."""
        self.head = None
        self.pieces = []
        self.is_done = False
        self._is_to_head = is_to_head
        self._fields: list[Header] = []
        self._coding: bytes | None = None
        self._has_length = False
        self._is_interim = False
        self._overhead = 0
        self._opening = b""

    @property
    def has_begun(self) -> bool:
        """Whether a byte of the answer is here."""
        return bool(self._opening)

    def feed(self, data: bytes | bytearray) -> None:
        """Take what came. Raises BadAnswer; nothing may be fed after that."""
        if len(self._opening) < len(_OPENING):
            self._check_opening(data)
        before = len(self.pieces)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.can_reuse = False
            if not self.is_done:
                raise BadAnswer(_reason(error)) from None
        self._overhead = self._overhead + len(data) if len(self.pieces) == before else 0
        if self._overhead > MAX_OVERHEAD and not self.is_done:
            raise BadAnswer("its head or what surrounds its body is too large")

    def feed_end(self) -> None:
        """The peer will send no more. Raises BadAnswer unless that is how this answer ends."""
        self.can_reuse = False
        if self.head is None or self._has_length or self._coding is not None:
            raise BadAnswer("it is not complete")
        self.is_done = True

    def _check_opening(self, data: bytes | bytearray) -> None:
        # llhttp also reads RTSP and ICE, and skips empty lines first.
        self._opening += data[: len(_OPENING) - len(self._opening)]
        if not _OPENING.startswith(self._opening):
            raise BadAnswer("it is not HTTP/1")

    # ---- llhttp calls these. What they raise stops it, and comes out of `feed`.

    def on_message_begin(self) -> None:
        """Refuse an answer that nobody asked for."""
        if self.is_done:
            raise BadAnswer("there is more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; those of trailers are only counted."""
        name = name.lower()
        self._fields.append((name, value))
        if len(self._fields) > MAX_HEADERS:
            raise BadAnswer("it has too many headers")
        if name == b"content-length":
            self._has_length = True
        elif name == b"transfer-encoding":
            if self._coding is not None or value.strip().lower() != b"chunked":
                raise BadAnswer("its transfer coding is not supported")
            self._coding = value

    def on_headers_complete(self) -> None:
        """Complete the head, or skip an interim one."""
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if status < 100 or status == 101 or version not in _VERSIONS:
            raise BadAnswer("its status or version cannot be used")
        if version == "1.0" and self._coding is not None:
            raise BadAnswer("HTTP/1.0 has no transfer codings")
        self._is_interim = status < 200
        if not self._is_interim:
            self.head = AnswerHead(status, tuple(self._fields))
            self._keeps = self._parser.should_keep_alive()
        self._fields = []
        if self._is_to_head and not self._is_interim:
            # llhttp would wait for the body that the length promises.
            self.is_done, self.can_reuse = True, False

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body."""
        if not self.is_done:
            self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """End the answer, unless it was an interim one."""
        if not self._is_interim and not self.is_done:
            self.is_done, self.can_reuse = True, self._keeps


def _reason(error: Exception) -> str:
    cause = error.__context__
    return str(cause) if isinstance(cause, BadAnswer) else "it is not valid HTTP/1.1"
