"""Read a request's body, refusing while reading what is too large or encoded."""

from collections.abc import Callable, Mapping

from kt.errors import GatewayError
from kt.runtime.inbox import Receive


class ClientLeft(Exception):
    """The client is gone; nobody reads the answer."""


async def read_body(
    receive: Receive, headers: Mapping[bytes, bytes], limit: int, grow: Callable[[int], None]
) -> bytes:
    """The whole body, telling `grow` of every piece before it is kept.

    Raises GatewayError `content_encoding` or `body_too_large` as soon as that is known, ClientLeft
    where the client goes before the body is complete.
    """
    _refuse_by_head(headers, limit)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        grow(len(piece))
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def _refuse_by_head(headers: Mapping[bytes, bytes], limit: int) -> None:
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b""):
        raise GatewayError("content_encoding", "send the body without content-encoding")
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> GatewayError:
    return GatewayError("body_too_large", f"the request body is larger than {limit} bytes")
