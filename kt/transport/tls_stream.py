"""TLS that can be closed by half, as HTTP's last answer wants it.

In: a stream and a handshake's context. Out: the same with everything encrypted. Never: a
certificate chosen, a wait that its caller cannot end.
"""

import ssl
from contextlib import suppress

import trio


class TlsStream(trio.abc.HalfCloseableStream):
    """The server's side of TLS. `handshake` comes first."""

    def __init__(self, transport: trio.abc.HalfCloseableStream, context: ssl.SSLContext) -> None:
        self.transport = transport
        self._tls = trio.SSLStream(transport, context, server_side=True, https_compatible=True)
        self._is_parting = False
        self._reading: trio.CancelScope | None = None
        self._let_go = trio.Event()
        self._parted = trio.Event()

    async def handshake(self) -> None:
        """Agree on keys. Raises trio.BrokenResourceError where that cannot be done."""
        await self._tls.do_handshake()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What the other side sends; after `send_eof` only its end has a meaning."""
        if not self._is_parting:
            try:
                with trio.CancelScope() as self._reading:
                    return await self._tls.receive_some(max_bytes)
            finally:
                self._reading = None
                self._let_go.set()
        await self._parted.wait()
        return await self.transport.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        await self._tls.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there may be room to send."""
        await self._tls.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that nothing more comes, and wait until the other side has said so or has left."""
        if self._is_parting:
            return
        self._is_parting = True
        try:
            await self._take_reading_over()
            # What it still sends breaks the goodbye, not the connection: that is read to its end.
            with suppress(trio.BrokenResourceError):
                await self._tls.unwrap()
        finally:
            self._parted.set()

    async def _take_reading_over(self) -> None:
        """A goodbye reads the other's: whoever reads lets it, and goes on after it."""
        if self._reading is not None:
            self._let_go = trio.Event()
            self._reading.cancel()
            await self._let_go.wait()

    async def aclose(self) -> None:
        """Close both."""
        await self._tls.aclose()
