"""What is sent and what comes back, as values: an origin, a request's head, an answer's head.

Never: a header that could end its own line.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import attrs

Header = tuple[bytes, bytes]

_NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_BODILESS = (b"GET", b"HEAD")


@attrs.frozen
class Origin:
    """Where an answer comes from: the unit of connections."""

    host: str
    port: int
    is_tls: bool

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of an `http` or `https` URL whose host is ASCII."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls)

    @property
    def authority(self) -> bytes:
        """What `host` says: without the port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_usual = self.port == (443 if self.is_tls else 80)
        return (host if is_usual else f"{host}:{self.port}").encode("ascii")


@attrs.frozen
class RequestHead:
    """The part of a request that is the same every time, made ready once.

    Raises ValueError where a name or value cannot stand in a header.
    """

    origin: Origin
    method: bytes
    path: bytes
    headers: tuple[Header, ...] = attrs.field(repr=False)  # one of them is a key
    _opening: bytes = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Write the lines that never change."""
        if not all(_NAME.fullmatch(name) for name, _ in self.headers):
            raise ValueError("not usable as a header's name")
        line = b"%b %b HTTP/1.1\r\n" % (self.method, self.path)
        host = header_lines(((b"host", self.origin.authority),))
        object.__setattr__(self, "_opening", line + host + header_lines(self.headers))

    @property
    def url(self) -> str:
        """The whole address, for libraries that want one."""
        scheme = "https" if self.origin.is_tls else "http"
        return f"{scheme}://{self.origin.authority.decode()}{self.path.decode()}"

    def http1(self, more: Iterable[Header], size: int) -> bytes:
        """The head on an HTTP/1.1 connection. Raises ValueError as the class does."""
        if size == 0 and self.method in _BODILESS:
            return b"%b%b\r\n" % (self._opening, header_lines(more))
        return b"%b%bcontent-length: %d\r\n\r\n" % (self._opening, header_lines(more), size)

    def http2(self, more: Iterable[Header], size: int) -> list[Header]:
        """The head on an HTTP/2 connection. Raises ValueError as the class does."""
        header_lines(more)
        pseudo = [
            (b":method", self.method),
            (b":authority", self.origin.authority),
            (b":scheme", b"https" if self.origin.is_tls else b"http"),
            (b":path", self.path),
        ]
        fields = [(name.lower(), value) for name, value in (*self.headers, *more)]
        return [*pseudo, *fields, *([(b"content-length", b"%d" % size)] if size else [])]


def header_lines(headers: Iterable[Header]) -> bytes:
    """The lines of a head. Raises ValueError where one would end early, and another begin."""
    pairs = tuple(headers)
    text = b"".join([b"%b: %b\r\n" % pair for pair in pairs])
    # One count for all: a line break inside a name or a value is one too many.
    if text.count(b"\n") != len(pairs) or text.count(b"\r") != len(pairs) or b"\0" in text:
        raise ValueError("not usable in a header")
    return text


@attrs.frozen
class AnswerHead:
    """Status and headers of an answer; names are in lower case, values as they came."""

    status: int
    headers: tuple[Header, ...]
