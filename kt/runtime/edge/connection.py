"""One client on our own HTTP/1.1: its requests one after the other, each answered by the app.

In: a stream and an ASGI app. Out: every request that was sent whole is answered, in order, then the
stream is closed. Never: waits without a bound, reads more than it has room for.

Theory of operation. A connection is one task and no queue: who waits, reads. Between requests that
is the connection itself; while the app runs it is the app's `receive`, which reads the body and,
after it, waits for the client to leave. So a client is slowed down by nobody reading, and leaving
is noticed as long as the app listens, without a task for it. What a client sends ahead is kept, up
to the size of a head, and read in its turn. All times are one deadline that is moved: to the next
head while there is none, away while the app runs, to the end of the linger after the last answer.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote

import trio

from kt.runtime.edge.answer_writer import AnswerWriter, Stamp, mistake, refusal
from kt.runtime.edge.client_stream import Address, ClientStream
from kt.runtime.edge.request_parser import BadRequest, RequestHead, RequestParser
from kt.runtime.edge.settings import ServeSettings
from kt.runtime.guard import Log, guarded
from kt.runtime.inbox import ASGIApp, Message

LEAST_PROGRESS = 1024
"""Bytes of a body after which a client has its whole time for more again."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class LlhttpEdge:
    """Makes connections; what those of one server share."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, log: Log) -> None:
        self.app = app
        self.settings = settings
        self.log = log
        self.stamp = Stamp()
        self.is_draining = False

    def open(self, stream: trio.abc.HalfCloseableStream) -> "Connection":
        """A connection that is not run yet."""
        return Connection(self, stream)

    async def wind_up(self) -> None:
        """From now on, answers are the last ones of their connections."""
        self.is_draining = True


class Connection:
    """One client; see the theory of operation above."""

    def __init__(self, edge: LlhttpEdge, stream: trio.abc.HalfCloseableStream) -> None:
        self._edge = edge
        self._settings = edge.settings
        self._client = ClientStream(stream, edge.settings.send)
        self._parser = RequestParser(edge.settings.head_bytes)
        self._life = trio.CancelScope()
        self._is_idle = True
        self._served = 0

    async def run(self) -> None:
        """Serve the connection to its end."""
        self._addresses = self._client.addresses()
        try:
            with self._life:
                await self._serve()
        finally:
            self._client.close()

    def wind_up(self) -> None:
        """The drain began: leave, unless there is a request to answer."""
        if self._is_idle:
            self._life.cancel()

    def cut(self) -> None:
        """End everything of this connection now."""
        self._client.cut()
        self._life.cancel()

    async def _serve(self) -> None:
        try:
            while (head := await self._next_head()) is not None:
                if not await self._is_kept_after(head):
                    await self._part()
                    return
        except BadRequest as error:
            await self._client.send(refusal(error, self._edge.stamp))
            await self._part()

    async def _next_head(self) -> RequestHead | None:
        """The next request, or None where there is none any more."""
        self._is_idle = True
        self._wait_at_most(self._settings.keep_alive)
        self._parser.begin()
        head = await self._read_head()
        self._is_idle = False
        self._life.deadline = float("inf")
        return head

    async def _read_head(self) -> RequestHead | None:
        data, has_begun = b"", False
        while True:
            self._parser.feed(data)
            if self._parser.head is not None or self._edge.is_draining:
                return self._parser.head
            if self._parser.waiting and not has_begun:
                has_begun = True
                self._wait_at_most(self._settings.head)
            if not (data := await self._client.receive()):
                return None

    async def _is_kept_after(self, head: RequestHead) -> bool:
        """Answer a request; whether another one may follow."""
        self._served += 1
        edge = self._edge
        turn = Turn(self._client, self._parser, head, edge.settings, edge.stamp, self._may_keep)
        scope = _scope(head, self._addresses)
        await guarded(partial(edge.app, scope, turn.receive, turn.send), edge.log)
        await turn.end()
        return turn.keeps

    def _may_keep(self) -> bool:
        is_last = self._served >= self._settings.requests_per_connection
        return not (is_last or self._edge.is_draining)

    def _wait_at_most(self, seconds: float) -> None:
        self._life.deadline = trio.current_time() + seconds

    async def _part(self) -> None:
        """Say that nothing more comes, and give the client some time to leave."""
        self._wait_at_most(self._settings.linger)
        await self._client.send_eof()
        while await self._client.receive():
            pass


class Turn:
    """One request and its answer: ASGI's `receive` and `send`."""

    def __init__(
        self,
        client: ClientStream,
        parser: RequestParser,
        head: RequestHead,
        settings: ServeSettings,
        stamp: Stamp,
        may_keep: Callable[[], bool],
    ) -> None:
        self._client = client
        self._parser = parser
        self._head = head
        self._may_keep = may_keep
        self._may_continue = head.expects_continue
        self._stamp = stamp
        self._room = settings.head_bytes
        self._patience = self._whole_patience = settings.body
        self._progress = 0
        self._has_body = True
        self._refused: BadRequest | None = None
        self._is_begun = False
        self._writer = AnswerWriter(
            stamp,
            version=head.version,
            is_to_head=head.method == "HEAD",
            may_keep=self._may_keep_this,
        )

    @property
    def keeps(self) -> bool:
        """Whether another request may follow."""
        return self._writer.keeps and self._writer.is_ended and not self._client.lost.is_set()

    async def receive(self) -> Message:
        """The next part of the body, then, once the client has left, that it has."""
        if not self._has_body:
            return await self._left()
        parser = self._parser
        try:
            if not (parser.pieces or parser.is_done):
                await self._read_body()
        except BadRequest as error:
            self._refused = error
        if self._refused is not None or not (parser.pieces or parser.is_done):
            return {"type": "http.disconnect"}
        body, parser.pieces = b"".join(parser.pieces), []
        self._has_body = not parser.is_done
        return {"type": "http.request", "body": body, "more_body": self._has_body}

    async def send(self, message: Message) -> None:
        """Answer, or a part of it. Raises AppMistake for what is no answer."""
        if self._client.lost.is_set():
            await trio.lowlevel.checkpoint()
        elif data := self._writer.bytes_of(message):
            self._is_begun = True
            await self._client.send(data)

    async def end(self) -> None:
        """The app has ended: an answer that was not begun becomes an error."""
        if self._is_begun:
            return
        if self._refused is not None:
            await self._client.send(refusal(self._refused, self._stamp))
        else:
            await self._client.send(mistake(self._stamp))

    def _may_keep_this(self) -> bool:
        # A body that is still coming would have to be read before the next request.
        return self._head.keeps and self._parser.is_done and self._may_keep()

    async def _left(self) -> Message:
        """Wait until the client has left; what it sends ahead is kept for its turn."""
        while not (self._writer.is_ended or self._refused is not None):
            if self._parser.waiting >= self._room:
                await self._client.lost.wait()
            if not (data := await self._client.receive()):
                break
            self._parser.feed(data)
        return {"type": "http.disconnect"}

    async def _read_body(self) -> None:
        """Read until there is a piece of the body, or the client has left."""
        if self._may_continue and not self._is_begun:
            self._may_continue = False
            await self._client.send(_CONTINUE)
        while not (self._parser.pieces or self._parser.is_done):
            if not (data := await self._in_time()):
                return
            self._parser.feed(data)
        self._note_progress()

    async def _in_time(self) -> bytes:
        started = trio.current_time()
        with trio.move_on_after(max(0.0, self._patience)):
            data = await self._client.receive()
            self._patience -= trio.current_time() - started
            return data
        raise BadRequest(HTTPStatus.REQUEST_TIMEOUT, "the body comes too slowly")

    def _note_progress(self) -> None:
        self._progress += sum(map(len, self._parser.pieces))
        if self._progress >= LEAST_PROGRESS:
            self._progress, self._patience = 0, self._whole_patience


def _scope(head: RequestHead, addresses: tuple[Address | None, Address | None]) -> Message:
    path, _, query = head.target.partition(b"?")
    text = path.decode("ascii")
    return {
        "type": "http",
        "asgi": {"spec_version": "2.3", "version": "3.0"},
        "http_version": head.version,
        "method": head.method,
        "scheme": "http",
        "path": unquote(text) if "%" in text else text,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": head.headers,
        "client": addresses[0],
        "server": addresses[1],
    }
