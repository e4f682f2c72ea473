"""One HTTP/2 connection, shared by many exchanges: h2 keeps its state, two tasks move its bytes.

Theory of operation. One task reads and hands what came to the exchanges; one task writes, because
a write that is cancelled half-way would break the connection for all, and an exchange may be
cancelled at any time. What waits is bounded: an exchange's body by its window, which is opened
again only as the body is taken, what is to be sent by `MAX_UNSENT`.
"""

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import trio
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from kt.transport.failures import AnswerCut, NoAnswer, NotConnected, TransportFailure
from kt.transport.goaway import GoawayFilter
from kt.transport.messages import AnswerHead, Header, RequestHead
from kt.transport.streams import close_now

READ_SIZE = 64 * 1024
STREAMS = 100
"""How many exchanges share a connection, where the peer does not ask for fewer."""
WINDOW = 256 * 1024
"""How much of one answer may wait to be taken."""
MAX_HEAD = 64 * 1024
MAX_UNSENT = 256 * 1024

_SETTINGS = (
    (SettingCodes.ENABLE_PUSH, 0),
    (SettingCodes.INITIAL_WINDOW_SIZE, WINDOW),
    (SettingCodes.MAX_HEADER_LIST_SIZE, MAX_HEAD),
)


class Http2Exchange:
    """One request and its answer on a shared connection."""

    def __init__(self, connection: "Http2Connection", number: int) -> None:
        self._connection = connection
        self._number = number
        self._head: AnswerHead | None = None
        self._body = bytearray()
        self._untaken = 0
        """How much of the window is used up by what was not taken yet."""
        self._is_sent = False
        self._is_done = False
        self._failure: TransportFailure | None = None
        self._news = trio.Event()

    @property
    def head(self) -> AnswerHead:
        """The head of the answer that `wait_head` waited for."""
        if self._head is None:
            raise RuntimeError("there is no answer")
        return self._head

    @property
    def is_over(self) -> bool:
        """Whether the peer has said all that it will say."""
        return self._is_done or self._failure is not None

    @property
    def has_piece(self) -> bool:
        """Whether `piece` has something to give at once."""
        return bool(self._body) or self._is_done

    async def wait_head(self) -> None:
        """Wait for the head. Raises NoAnswer."""
        while self._head is None:
            if self._failure is not None:
                raise self._failure
            await self._wait()

    async def piece(self) -> bytes | None:
        """What came of the body, None at its end. Raises AnswerCut."""
        while not self._body:
            if self._is_done:
                return None
            if self._failure is not None:
                raise AnswerCut(str(self._failure))
            await self._wait()
        piece, self._body = bytes(self._body), bytearray()
        untaken, self._untaken = self._untaken, 0
        self._connection.reopen_window(self._number, untaken)
        return piece

    def finish(self) -> None:
        """Say that the exchange is over: what was not read to its end is reset, alone."""
        is_complete = self._is_sent and self._is_done
        untaken, self._untaken = self._untaken, 0
        self._connection.forget(
            self._number, untaken, needs_reset=not is_complete and self._failure is None
        )

    async def _wait(self) -> None:
        self._news = trio.Event()
        await self._news.wait()

    # ---- the connection calls these

    def note_sent(self) -> None:
        """The whole request is on its way."""
        self._is_sent = True

    def take_head(self, headers: list[Header]) -> None:
        """The head is here."""
        status = next((value for name, value in headers if name == b":status"), b"")
        if len(status) != 3 or not status.isdigit():
            self._failure = NoAnswer("its status cannot be used")
        fields = tuple((bytes(name), bytes(value)) for name, value in headers if name[:1] != b":")
        self._head = None if self._failure else AnswerHead(int(status), fields)
        self._news.set()

    def take_piece(self, piece: bytes, window: int) -> None:
        """A piece of the body is here."""
        self._untaken += window
        if piece:
            self._body += piece
            self._news.set()

    def end(self) -> None:
        """The answer is complete."""
        self._is_done = True
        self._news.set()

    def fail(self, message: str, *, is_reset: bool = False, is_refused: bool = False) -> None:
        """There is nothing more to come; a reset is something that came."""
        if not self.is_over:
            is_untouched = self._head is None and not is_reset
            self._failure = NoAnswer(message, is_untouched=is_untouched, is_refused=is_refused)
            self._news.set()


class Http2Connection:
    """A connection and its exchanges."""

    is_shared = True

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        config = h2.config.H2Configuration(client_side=True, header_encoding=None)
        self._h2 = h2.connection.H2Connection(config)
        self._h2.local_settings = h2.settings.Settings(client=True, initial_values=dict(_SETTINGS))
        self._goaways = GoawayFilter()
        self._exchanges: dict[int, Http2Exchange] = {}
        self._unsent = bytearray()
        self._has_unsent = trio.Event()
        self._settled = trio.Event()
        self._room = trio.lowlevel.ParkingLot()
        """Where bodies wait for a window or for the writer."""
        self._is_leaving = False
        self._is_closed = False

    @property
    def capacity(self) -> int:
        """How many exchanges it may carry at once."""
        return max(1, min(STREAMS, self._h2.remote_settings.max_concurrent_streams))

    @property
    def is_usable(self) -> bool:
        """Whether another exchange may begin."""
        return not self._is_leaving and not self._is_closed

    def is_alive(self) -> bool:
        """The reader notices an end as it comes."""
        return self.is_usable

    async def start(self, nursery: trio.Nursery) -> None:
        """Greet the peer and wait for its greeting; the tasks run in the nursery until the close.

        Raises NotConnected where the peer does not speak HTTP/2.
        """
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(STREAMS * WINDOW)
        self._pump()
        nursery.start_soon(self._run)
        await self._settled.wait()
        if self._is_closed:
            raise NotConnected("does not speak HTTP/2")

    async def send(
        self, request: RequestHead, more: tuple[Header, ...], body: bytes
    ) -> Http2Exchange:
        """Ask, and wait for the head. Raises NoAnswer; a cancellation resets this exchange only."""
        headers = request.http2(more, len(body))
        exchange = self._begin(headers, has_body=bool(body))
        is_answered = False
        try:
            await self._send_body(exchange, body)
            await exchange.wait_head()
            is_answered = True
        finally:
            if not is_answered:
                exchange.finish()
        return exchange

    def close(self) -> None:
        """Close at once; exchanges that are under way fail."""
        if not self._is_closed:
            self._is_closed = True
            close_now(self._stream)
            for exchange in self._exchanges.values():
                exchange.fail("the connection was closed")
            self._settled.set()
            self._has_unsent.set()
            self._room.unpark_all()

    def reopen_window(self, number: int, size: int) -> None:
        """The caller took this much of an answer."""
        if size and not self._is_closed:
            self._h2.acknowledge_received_data(size, number)
            self._pump()

    def forget(self, number: int, untaken: int, *, needs_reset: bool) -> None:
        """An exchange is over. What the peer still sends for it is ignored."""
        if self._exchanges.pop(number, None) is None or self._is_closed:
            return
        if needs_reset:
            self._h2.reset_stream(number, ErrorCodes.CANCEL)
        self.reopen_window(number, untaken)
        self._pump()

    def _begin(self, headers: list[Header], *, has_body: bool) -> Http2Exchange:
        refusal = "the connection cannot take another request"
        if not self.is_usable:
            raise NoAnswer(refusal, is_untouched=True, is_refused=True)
        try:
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, headers, end_stream=not has_body)
        except h2.exceptions.ProtocolError:
            self._is_leaving = True
            raise NoAnswer(refusal, is_untouched=True, is_refused=True) from None
        exchange = self._exchanges[number] = Http2Exchange(self, number)
        return exchange

    async def _send_body(self, exchange: Http2Exchange, body: bytes) -> None:
        at, number = 0, exchange._number
        while at < len(body) and not exchange.is_over:
            room = min(
                self._h2.local_flow_control_window(number),
                self._h2.max_outbound_frame_size,
                MAX_UNSENT - len(self._unsent),
            )
            if room <= 0:
                self._pump()
                await self._room.park()
                continue
            piece = body[at : at + room]
            at += len(piece)
            self._h2.send_data(number, piece, end_stream=at == len(body))
            self._unsent += self._h2.data_to_send()
        if at == len(body):
            exchange.note_sent()
        self._pump()

    def _pump(self) -> None:
        """Hand what h2 wants to say to the writer."""
        self._unsent += self._h2.data_to_send()
        if self._unsent:
            self._has_unsent.set()

    async def _run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            try:
                await self._read()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            except h2.exceptions.ProtocolError:
                pass  # NOT answered with a GOAWAY: the close says enough
            finally:
                self.close()
            nursery.cancel_scope.cancel()

    async def _write(self) -> None:
        while not self._is_closed:
            await self._has_unsent.wait()
            self._has_unsent = trio.Event()
            data, self._unsent = bytes(self._unsent), bytearray()
            try:
                await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.close()
            self._room.unpark_all()

    async def _read(self) -> None:
        while data := await self._stream.receive_some(READ_SIZE):
            remaining = self._goaways.feed(data)
            for event in self._h2.receive_data(remaining.data):
                self._heed(event)
            if remaining.last_stream is not None:
                self._leave(remaining.last_stream)
            self._pump()
            if len(self._unsent) > 2 * MAX_UNSENT:
                return  # a peer that asks for answers (to pings, say) and takes none

    def _leave(self, last_stream: int) -> None:
        self._is_leaving = True
        for number, exchange in self._exchanges.items():
            if number > last_stream:
                exchange.fail("the connection is being closed", is_refused=True)

    def _heed(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RemoteSettingsChanged():
                self._settled.set()
                self._room.unpark_all()
            case h2.events.WindowUpdated():
                self._room.unpark_all()
            case h2.events.ResponseReceived(stream_id=number, headers=headers):
                if exchange := self._exchanges.get(number):
                    exchange.take_head(headers)
            case h2.events.DataReceived(stream_id=number):
                self._heed_data(event)
            case h2.events.StreamEnded(stream_id=number):
                if exchange := self._exchanges.get(number):
                    exchange.end()
                    self._room.unpark_all()
            case h2.events.StreamReset(stream_id=number):
                if exchange := self._exchanges.get(number):
                    is_refused = event.error_code == ErrorCodes.REFUSED_STREAM
                    exchange.fail("it was reset", is_reset=True, is_refused=is_refused)
                    self._room.unpark_all()
            case _:
                pass  # pings and their like: h2 answers them

    def _heed_data(self, event: h2.events.DataReceived) -> None:
        if exchange := self._exchanges.get(event.stream_id):
            exchange.take_piece(event.data, event.flow_controlled_length)
        else:
            self.reopen_window(event.stream_id, event.flow_controlled_length)
