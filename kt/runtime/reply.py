"""The answer to one client: sent once, in the client's wire format, always properly ended.

In: ASGI's `send`. Out: one head, body, the end. Never: a second head, a byte after the end, a
message that a deadline stops on its way (the server bounds how long a client may take).
"""

from collections.abc import Iterable

import orjson
import trio

from kt.errors import GatewayError
from kt.runtime.inbox import Message, Send
from kt.runtime.ledger import Ledger
from kt.wire.chat import CHAT
from kt.wire.format import Format

HeaderList = Iterable[tuple[bytes, bytes]]

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream; charset=utf-8"
RETRY_SECONDS = 1
"""What `retry-after` advises: a slot is usually free again within a second."""


class Reply:
    """One HTTP response on its way."""

    def __init__(
        self, send: Send, ledger: Ledger, *, server_timing: bool, form: Format = CHAT
    ) -> None:
        self._send = send
        self._ledger = ledger
        self._form = form
        self._server_timing = server_timing
        self.started = False
        self.ended = False
        self.number = 0
        """The number of the next event, for formats that count them."""
        self.also: HeaderList = ()
        """Headers that any answer to this request carries."""

    async def whole(
        self, status: int, body: bytes, content_type: bytes = JSON, headers: HeaderList = ()
    ) -> None:
        """Send a complete response."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, [(b"content-type", content_type), length, *headers])
        self._ledger.answered = len(body)
        await self._body(body, more=False)

    async def stream(self, data: bytes, headers: HeaderList = ()) -> None:
        """Send a part of an event stream, and the head before the first one."""
        if not self.started:
            await self._start(
                200,
                [
                    (b"content-type", EVENT_STREAM),
                    (b"cache-control", b"no-cache"),
                    (b"x-accel-buffering", b"no"),
                    *headers,
                ],
            )
        # One send may carry many events; what nobody read may end them in another way.
        self._ledger.events += max(1, data.count(b"\n\n"))
        await self._body(data, more=True)

    async def end(self) -> None:
        """End an event stream."""
        await self._body(b"", more=False)

    async def refuse(self, error: GatewayError) -> None:
        """Tell the client why there is no (further) answer: a response, or one last error frame."""
        if self.ended:
            return
        self._ledger.code = error.code
        if self.started and self._form.stream is not None:
            await self._body(self._form.stream.error(error, self.number), more=True)
            await self.end()
        else:
            body = orjson.dumps(self._form.error(error))
            await self.whole(error.refusal.status, body, headers=_advice(error))

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.started = True
        self._ledger.status = status
        self._ledger.first_byte = trio.current_time()
        await self._message(
            {
                "type": "http.response.start",
                "status": status,
                "headers": headers + self._own_headers(),
            }
        )

    def _own_headers(self) -> list[tuple[bytes, bytes]]:
        ledger = self._ledger
        headers = [
            (b"x-request-id", ledger.identity.request_id.encode()),
            (b"traceparent", ledger.identity.traceparent.encode()),
            (b"x-keeptrusts-verdict", ledger.verdict.value.encode()),
            (b"x-keeptrusts-plan", ledger.digest.encode()),
            (b"x-keeptrusts-cache", b"bypass"),
            *self.also,
        ]
        timing = ledger.server_timing() if self._server_timing else ""
        return [*headers, (b"server-timing", timing.encode())] if timing else headers

    async def _body(self, data: bytes, *, more: bool) -> None:
        self.ended = not more
        await self._message({"type": "http.response.body", "body": data, "more_body": more})

    async def _message(self, message: Message) -> None:
        with trio.CancelScope(shield=True):
            # INVARIANT: `started` and `ended` say what the client was sent.
            await self._send(message)


def _advice(error: GatewayError) -> list[tuple[bytes, bytes]]:
    headers = [*error.headers]
    if error.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if error.should_retry else b"false"))
    is_given = any(name == b"retry-after" for name, _ in error.headers)
    if error.refusal.retry_after and not is_given:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
        headers.append((b"retry-after-ms", str(RETRY_SECONDS * 1000).encode()))
    return headers
