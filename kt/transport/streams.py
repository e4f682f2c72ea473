"""Streams to a host: opened, closed at once, looked at. The only module that opens sockets.

`Dial` is the seam: whoever has another network, in memory for instance, gives another function.
"""

import select
import socket
import ssl
from collections.abc import Awaitable, Callable
from math import ceil
from pathlib import Path
from typing import Any

import attrs
import certifi
import trio

from kt.transport.failures import NotConnected
from kt.transport.tls_stream import TlsStream

Dial = Callable[[str, int, ssl.SSLContext | None], Awaitable[trio.abc.Stream]]
"""Host, port and how to speak TLS (None: not at all) -> an open stream.

Raises NotConnected. The stream is of trio's own classes (sockets, TLS, memory), because it must be
closable without waiting.
"""


@attrs.frozen
class Probes:
    """TCP keep-alive: an idle connection is probed every so often, and dead after so long."""

    interval: float
    timeout: float

    def socket_options(self) -> list[tuple[int, int, int]]:
        """What `setsockopt` is to be told; not every system knows all of it."""
        interval = max(1, ceil(self.interval))
        wanted = {
            "TCP_KEEPIDLE": interval,
            "TCP_KEEPINTVL": interval,
            "TCP_KEEPCNT": max(1, ceil(self.timeout / interval)),
        }
        known = {name: value for name, value in wanted.items() if hasattr(socket, name)}
        switch = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        tcp = socket.IPPROTO_TCP
        return [switch, *((tcp, getattr(socket, name), known[name]) for name in known)]


@attrs.frozen
class Credentials:
    """Files that decide whom TLS trusts and who we are; None takes the public authorities."""

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None


def tls_context(credentials: Credentials, *, with_http2: bool) -> ssl.SSLContext:
    """How to speak TLS to an origin. Raises OSError (SSLError is one) for files of no use."""
    context = ssl.create_default_context(cafile=credentials.ca_file or certifi.where())
    if credentials.client_cert is not None:
        # NOT without a password: OpenSSL would ask for one on the terminal.
        context.load_cert_chain(credentials.client_cert, credentials.client_key, password=b"")
    context.set_alpn_protocols(["h2", "http/1.1"] if with_http2 else ["http/1.1"])
    return context


def dialer(probes: Probes | None) -> Dial:
    """Open TCP connections (happy eyeballs, no delay of small packets), TLS on top where asked."""

    async def dial(host: str, port: int, tls: ssl.SSLContext | None) -> trio.abc.Stream:
        try:
            stream = await trio.open_tcp_stream(host, port)
        except (OSError, UnicodeError):
            raise NotConnected("cannot be reached") from None
        for option in () if probes is None else probes.socket_options():
            stream.setsockopt(*option)
        return stream if tls is None else await _secured(stream, host, tls)

    return dial


async def _secured(stream: trio.SocketStream, host: str, tls: ssl.SSLContext) -> trio.abc.Stream:
    secured = trio.SSLStream(stream, tls, server_hostname=host, https_compatible=True)
    is_ready = False
    try:
        await secured.do_handshake()
        is_ready = True
    except trio.BrokenResourceError as error:
        is_untrusted = isinstance(error.__cause__, ssl.SSLCertVerificationError)
        why = "has a certificate that is not trusted" if is_untrusted else "does not speak TLS"
        raise NotConnected(why) from None
    finally:
        if not is_ready:
            close_now(secured)
    return secured


def speaks_http2(stream: trio.abc.Stream) -> bool:
    """Whether the TLS handshake settled on HTTP/2."""
    return isinstance(stream, trio.SSLStream) and stream.selected_alpn_protocol() == "h2"


def has_input(stream: trio.abc.Stream) -> bool:
    """Whether there is something to read, an end included; False where that cannot be seen."""
    socket_stream = bottom(stream)
    if not isinstance(socket_stream, trio.SocketStream):
        return False
    poll = select.poll()
    poll.register(socket_stream.socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def close_now(stream: trio.abc.Stream) -> None:
    """Close without waiting and without a goodbye; who reads or writes gets ClosedResourceError."""
    lowest = bottom(stream)
    if isinstance(lowest, trio.SocketStream):
        lowest.socket.close()
    else:
        lowest.send_stream.close()
        lowest.receive_stream.close()


def bottom(stream: trio.abc.Stream) -> "trio.SocketStream | trio.StapledStream[Any, Any]":
    """What carries the bytes, below TLS."""
    while isinstance(stream, trio.SSLStream | TlsStream):
        stream = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream.transport
    return stream  # type: ignore[return-value] # `Dial` promises no other
