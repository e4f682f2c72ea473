"""What the app of one request hears from its client: ASGI's `receive` side, and ASGI's types.

In: messages of the protocol. Out: the pieces of the body in order, then `http.disconnect` for ever.
Never: makes the news that the client left wait behind pieces that the app has not read.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

Message = dict[str, Any]  # Any: ASGI messages hold bytes, numbers, lists and flags
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]

PIECES = 8
"""Body pieces that wait for the app before the client is told, by TCP, to slow down."""


class Inbox:
    """The queue between the protocol and one run of the app."""

    def __init__(self) -> None:
        self._sender, self._receiver = trio.open_memory_channel[Message](PIECES)

    async def put(self, message: Message) -> None:
        """Wait until the app has room for a piece; never wait to say that it is over."""
        if message["type"] == "http.disconnect":
            self._sender.close()
            return
        try:
            await self._sender.send(message)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # the app has ended, or the client has: nobody wants the rest of the body

    async def receive(self) -> Message:
        """The app's `receive`; over and over `http.disconnect` once it is over."""
        try:
            return await self._receiver.receive()
        except trio.EndOfChannel:
            return {"type": "http.disconnect"}

    def close(self) -> None:
        """The app has ended: the body is read to nowhere from now on."""
        self._receiver.close()
