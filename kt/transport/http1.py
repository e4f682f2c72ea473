"""One HTTP/1.1 connection: one exchange at a time, which is the connection itself.

Never: a pipelined request; a use after an exchange that was not read to its end.
"""

import trio

from kt.transport.answer_parser import AnswerParser
from kt.transport.failures import AnswerCut, BadAnswer, NoAnswer
from kt.transport.messages import AnswerHead, Header, RequestHead
from kt.transport.streams import close_now, has_input

READ_SIZE = 64 * 1024
JOINED_SIZE = 64 * 1024
"""Up to here a body is copied behind its head and sent with it; a larger one is sent after it,
because the copy costs more than the second call."""


class Http1Connection:
    """A connection and its exchange."""

    capacity = 1
    is_shared = False

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._parser = AnswerParser()
        self._is_used = False
        self._is_broken = False

    @property
    def is_usable(self) -> bool:
        """Whether another exchange may follow: the last one is over and left nothing behind."""
        return self._parser.is_done and self._parser.can_reuse and not self._is_broken

    def is_alive(self) -> bool:
        """Whether an idle connection is worth a try: what has something to say is at its end."""
        # Fresh TLS connections hold session tickets that nobody has read yet.
        has_tickets = not self._is_used and isinstance(self._stream, trio.SSLStream)
        return has_tickets or not has_input(self._stream)

    async def send(
        self, request: RequestHead, more: tuple[Header, ...], body: bytes
    ) -> "Http1Connection":
        """Ask, and wait for the head. Raises NoAnswer; on cancellation it is not usable again."""
        head = request.http1(more, len(body))
        self._is_used = True
        self._parser.begin(is_to_head=request.method == b"HEAD")
        try:
            await self._write(head, body)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._is_broken = True  # the answer to half a request may be there all the same
        await self._read_head()
        return self

    @property
    def head(self) -> AnswerHead:
        """The head of the answer that `send` waited for."""
        if self._parser.head is None:
            raise RuntimeError("there is no answer")
        return self._parser.head

    @property
    def has_piece(self) -> bool:
        """Whether `piece` has something to give at once."""
        return bool(self._parser.pieces) or self._parser.is_done

    async def piece(self) -> bytes | None:
        """What came of the body, None at its end. Raises AnswerCut."""
        parser = self._parser
        try:
            while not parser.pieces:
                if parser.is_done:
                    return None
                await self._read_some()
        except (BadAnswer, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise AnswerCut(str(error)) from None
        pieces, parser.pieces = parser.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> None:
        """Say that the exchange is over, read to its end or not."""

    def close(self) -> None:
        """Close at once."""
        self._is_broken = True
        close_now(self._stream)

    async def _write(self, head: bytes, body: bytes) -> None:
        if len(body) <= JOINED_SIZE:
            await self._stream.send_all(head + body)
        else:
            await self._stream.send_all(head)
            await self._stream.send_all(body)

    async def _read_head(self) -> None:
        try:
            while self._parser.head is None:
                await self._read_some()
        except (BadAnswer, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise NoAnswer(str(error), is_untouched=not self._parser.has_begun) from None

    async def _read_some(self) -> None:
        data = await self._stream.receive_some(READ_SIZE)
        if data:
            self._parser.feed(data)
        else:
            self._parser.feed_end()
