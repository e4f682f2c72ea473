"""TLS before HTTP: a handshake that has its time, then an edge on top of it.

In: streams, an edge, the context of the moment. Out: connections. Never: a client that is waited
for beyond the handshake's time, a failed handshake that is anybody else's matter.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

import trio

from kt.errors import UsageError
from kt.runtime.edge.making import Connection, Maker
from kt.transport.streams import close_now
from kt.transport.tls_stream import TlsStream

Contexts = Callable[[], ssl.SSLContext]
"""The context for the next handshake; a reload gives another one."""


def server_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """What the files say; without a key file the key is in the certificate's. Raises UsageError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        # NOT without a password: OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password=b"")
    except OSError as error:  # SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or "not PEM"
        hint = "name PEM files that belong together: the chain, and its key without a password"
        message = f"cannot serve TLS with {certificate}: {reason}"
        raise UsageError(message, hint) from None
    return context


class TlsEdge:
    """Makes connections of another edge, with TLS below."""

    def __init__(self, edge: Maker, contexts: Contexts, seconds: float) -> None:
        """A handshake may take so many seconds."""
        self._edge = edge
        self._contexts = contexts
        self._seconds = seconds

    def open(self, stream: trio.abc.HalfCloseableStream) -> "TlsConnection":
        """A connection that is not run yet."""
        return TlsConnection(self._edge, TlsStream(stream, self._contexts()), self._seconds)

    async def wind_up(self) -> None:
        """The drain begins."""
        await self._edge.wind_up()


class TlsConnection:
    """One client: a handshake, then a connection of the edge."""

    def __init__(self, edge: Maker, stream: TlsStream, seconds: float) -> None:
        self._edge = edge
        self._stream = stream
        self._seconds = seconds
        self._handshake = trio.CancelScope()
        self._inner: Connection | None = None

    async def run(self) -> None:
        """Serve the connection to its end."""
        if await self._is_agreed():
            self._inner = self._edge.open(self._stream)
            await self._inner.run()

    async def _is_agreed(self) -> bool:
        is_agreed = False
        try:
            with self._handshake:
                self._handshake.deadline = trio.current_time() + self._seconds
                await self._stream.handshake()
                is_agreed = True
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # scanners and clients that do not trust us: their matter
        finally:
            if not is_agreed:
                close_now(self._stream)
        return is_agreed

    def wind_up(self) -> None:
        """The drain began: who has not agreed on keys has nothing to be answered."""
        if self._inner is None:
            self._handshake.cancel()
        else:
            self._inner.wind_up()

    def cut(self) -> None:
        """End everything of this connection now."""
        if self._inner is None:
            self._handshake.cancel()
        else:
            self._inner.cut()
