"""Takes GOAWAY frames out of what an HTTP/2 peer sends. No I/O: bytes in, the other bytes out.

h2 treats a connection as closed once it read such a frame, but the answers that are under way may
still come: that is how a provider retires a connection. So h2 does not get to see it.
"""

from typing import NamedTuple

HEADER = 9
GOAWAY = 7
MAX_PAYLOAD = 2**14
"""What a peer may put into one frame; h2 refuses longer ones."""


class Remaining(NamedTuple):
    """What is left of a chunk of bytes."""

    data: bytes
    last_stream: int | None
    """The last stream that the peer will answer, where it said so."""


class GoawayFilter:
    """Follows the frames of one connection."""

    def __init__(self) -> None:
        self._held = b""
        self._passing = 0
        """How much of the current frame is still to be passed on as it comes."""

    def feed(self, data: bytes | bytearray) -> Remaining:
        """The bytes without GOAWAY frames; what may still become one is held back."""
        data = self._held + bytes(data)
        kept: list[bytes] = []
        last: int | None = None
        at = 0
        while at < len(data):
            if self._passing:
                kept.append(data[at : at + self._passing])
                at += len(kept[-1])
                self._passing -= len(kept[-1])
                continue
            if len(data) - at < HEADER:
                break
            size = int.from_bytes(data[at : at + 3], "big")
            if data[at + 3] != GOAWAY or not 8 <= size <= MAX_PAYLOAD:
                self._passing = HEADER + size
                continue
            if len(data) - at < HEADER + size:
                break
            last = int.from_bytes(data[at + 9 : at + 13], "big") & 0x7FFFFFFF
            at += HEADER + size
        self._held = data[at:]
        return Remaining(b"".join(kept), last)
