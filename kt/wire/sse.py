"""Server-sent events: bytes to events and back. No I/O.

Theory of operation. Bytes become lines (ended by LF, CRLF or CR, wherever the bytes are cut), lines
become events: `data` lines collect until an empty line dispatches them. A CR ends its line at once;
an LF that follows it belongs to it, even if it comes with later bytes.

Rules of this file: what nobody judged is not passed on (`id`, `retry`, unknown fields, the text of
comments); a comment becomes an empty one, which keeps the connection alive; one event never holds
more than `limit` bytes; events are cut from bytes, so a character may be split anywhere.
"""

import re

import attrs

from kt.errors import GatewayError

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EVENT_NAME = re.compile(rb"[A-Za-z0-9_.-]{1,64}")

KEEP_ALIVE = b":\n"
"""A comment with a single line end: clients that end events at each empty line stay in step."""


@attrs.frozen
class Event:
    """One event, or a comment where `data` is None."""

    data: bytes | None
    name: str | None = None

    @property
    def forwardable(self) -> bytes:
        """The event as it may go on to the client untouched."""
        return KEEP_ALIVE if self.data is None else frame(self.data, self.name)


class SseReader:
    """A stream of events that arrives in pieces."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        """The start of a line that has not ended yet."""
        self._data: list[bytes] = []
        self._data_size = 0
        self._name: str | None = None
        self._is_first_line = True
        self._ended_in_cr = False

    def __repr__(self) -> str:
        return f"<SseReader {self._data_size + len(self._line)} bytes pending>"

    def feed(self, data: bytes) -> tuple[Event, ...]:
        """Take the next bytes and return what they complete.

        Raises GatewayError `bad_response` for an event that is larger than allowed.
        """
        at = 1 if self._ended_in_cr and data.startswith(b"\n") else 0
        self._ended_in_cr = data.endswith(b"\r") if data else self._ended_in_cr
        events: list[Event] = []
        for end in _LINE_END.finditer(data, at):
            self._extend(data[at : end.start()])
            events += self._end_line()
            at = end.end()
        self._extend(data[at:])
        return tuple(events)

    def finish(self) -> tuple[Event, ...]:
        """The bytes have ended: an event whose lines are complete counts, half a line does not.

        A browser drops the former too, but providers end `[DONE]` without an empty line.
        """
        self._line.clear()
        return self._dispatch()

    def _extend(self, part: bytes) -> None:
        if self._data_size + len(self._line) + len(part) > self._limit:
            raise GatewayError("bad_response", "the provider sent an event larger than allowed")
        self._line += part

    def _end_line(self) -> tuple[Event, ...]:
        line = bytes(self._line)
        self._line.clear()
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        return self._field(name, value.removeprefix(b" "))

    def _field(self, name: bytes, value: bytes) -> tuple[Event, ...]:
        match name:
            case b"":
                return (Event(None),)
            case b"data":
                self._data.append(value)
                self._data_size += len(value) + 1
            case b"event":
                self._name = value.decode() if _EVENT_NAME.fullmatch(value) else None
        return ()

    def _dispatch(self) -> tuple[Event, ...]:
        event = Event(b"\n".join(self._data), self._name)
        is_event = bool(self._data)
        self._data, self._data_size, self._name = [], 0, None
        return (event,) if is_event else ()


def frame(data: bytes, event: str | None = None) -> bytes:
    """One event in the form that every client reads."""
    head = b"" if event is None else b"event: " + event.encode() + b"\n"
    lines = b"".join(b"data: " + line + b"\n" for line in _LINE_END.split(data))
    return head + lines + b"\n"
