"""A small HTTP/2 server over any trio stream, whose behavior a test writes.

In: what to do with a complete request. Out: the requests that came, and which ones were reset.
"""

from collections.abc import Callable

import attrs
import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings

OK = [(b":status", b"200"), (b"content-type", b"text/plain")]


@attrs.define
class Request:
    """A request under way."""

    number: int
    headers: dict[bytes, bytes]
    body: bytearray = attrs.field(factory=bytearray)


@attrs.define
class Peer:
    """One connection of the server."""

    stream: trio.abc.Stream
    h2: H2Connection
    requests: dict[int, Request] = attrs.field(factory=dict)
    waiting: dict[int, bytes] = attrs.field(factory=dict)
    """What is to be sent as windows open."""
    resets: list[int] = attrs.field(factory=list)
    takes_bodies: bool = True
    """Whether windows are opened again as bodies come."""

    def answer(self, number: int, body: bytes) -> None:
        """Answer a request whole."""
        self.h2.send_headers(number, OK)
        self.pour(number, body)

    def pour(self, number: int, data: bytes) -> None:
        """Send a body and its end as far as the windows allow, the rest later."""
        self.waiting[number] = self.waiting.get(number, b"") + data
        self._pour_all()

    def _pour_all(self) -> None:
        for number, data in list(self.waiting.items()):
            while data:
                room = min(
                    self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size
                )
                if room <= 0:
                    break
                self.h2.send_data(number, data[:room])
                data = data[room:]
            self.waiting[number] = data
            if not data:
                self.h2.end_stream(number)
                del self.waiting[number]

    async def flush(self) -> None:
        """Send what is to be sent."""
        await self.stream.send_all(self.h2.data_to_send())

    def take(self, data: bytes) -> list[Request]:
        """Take what came; the requests that are complete now."""
        complete = []
        for event in self.h2.receive_data(data):
            if isinstance(event, RequestReceived):
                headers = {bytes(name): bytes(value) for name, value in event.headers}
                self.requests[event.stream_id] = Request(event.stream_id, headers)
            elif isinstance(event, DataReceived):
                self.requests[event.stream_id].body += event.data
                if self.takes_bodies:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                complete.append(self.requests[event.stream_id])
            elif isinstance(event, StreamReset):
                self.resets.append(event.stream_id)
                self.waiting.pop(event.stream_id, None)
        self._pour_all()
        return [request for request in complete if request.number not in self.resets]


@attrs.define
class Http2Server:
    """Runs connections; `behave` is called with each complete request."""

    behave: Callable[[Peer, Request], None]
    max_streams: int = 100
    takes_bodies: bool = True
    peers: list[Peer] = attrs.field(factory=list)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection."""
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        settings = {SettingCodes.MAX_CONCURRENT_STREAMS: self.max_streams}
        h2.local_settings = Settings(client=False, initial_values=settings)
        h2.initiate_connection()
        peer = Peer(stream, h2, takes_bodies=self.takes_bodies)
        self.peers.append(peer)
        await peer.flush()
        while data := await stream.receive_some(65536):
            for request in peer.take(bytes(data)):
                self.behave(peer, request)
            await peer.flush()
