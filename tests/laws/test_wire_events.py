"""Laws of server-sent events: however the bytes are cut, the events are the same."""

import itertools
import re
from collections.abc import Callable

from hypothesis import find, given
from hypothesis import strategies as st

from kt.errors import GatewayError
from kt.wire.sse import Event, SseReader, frame
from tests.support.body_strategies import cuts_of, pieces

LINES = (
    *(b"data: a", b"data:b", b"data", b"data:  c", b": note", b":", b"id: 7", b"retry: 1", b""),
    *(b"event: error", b"event: bad name", b"other: x", b"data: \xc3\xa9\xf0\x9f\x98\x80", b"\xff"),
)
ENDS = (b"\n", b"\r\n", b"\r")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

streams = st.builds(
    lambda mark, lines, tail: mark + b"".join(map(b"".join, lines)) + tail,
    st.sampled_from([b"", BYTE_ORDER_MARK]),
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=12),
    st.sampled_from([b"", b"data: cut"]),
)
Make = Callable[[], SseReader]


def read(parts: list[bytes], make: Make = lambda: SseReader(1000)) -> list[Event]:
    reader = make()
    events = [event for part in parts for event in reader.feed(part)]
    return [*events, *reader.finish()]


def reference(data: bytes) -> list[Event]:
    """The rules of the specification, on the whole stream at once."""
    *lines, _ = re.split(rb"\r\n|\n|\r", data.removeprefix(BYTE_ORDER_MARK))
    events: list[Event] = []
    buffer: list[bytes] = []
    name: str | None = None
    for line in [*lines, b""]:
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if not line:
            events += [Event(b"\n".join(buffer), name)] if buffer else []
            buffer, name = [], None
        elif not field:
            events.append(Event(None))
        elif field == b"data":
            buffer.append(value)
        elif field == b"event":
            name = value.decode() if b" " not in value else None
    return events


def is_the_same(data: bytes, cuts: list[int], make: Make = lambda: SseReader(1000)) -> bool:
    return read(pieces(data, cuts), make) == reference(data)


@given(streams, st.data())
def test_every_cut_of_a_stream_gives_the_events_of_the_specification(
    data: bytes, choose: st.DataObject
) -> None:
    assert is_the_same(data, choose.draw(cuts_of(len(data))))


def test_all_cuts_of_a_short_stream_give_the_same_events() -> None:
    data = BYTE_ORDER_MARK + b"data: \xc3\xa9\r\n\r\n:c\r\rdata:b\n\n"
    places = range(1, len(data))
    for size in range(3):
        for cuts in itertools.combinations(places, size):
            assert is_the_same(data, list(cuts))
    assert is_the_same(data, list(places))


class ForgetsTheReturn(SseReader):
    """Planted bug: a line feed after a cut CRLF ends another line."""

    def feed(self, data: bytes) -> tuple[Event, ...]:
        self._ended_in_cr = False
        return super().feed(data)


def test_the_law_of_cuts_fails_for_a_reader_that_forgets_the_return() -> None:
    def breaks(case: tuple[bytes, list[int]]) -> bool:
        return not is_the_same(*case, lambda: ForgetsTheReturn(1000))

    cut_streams = streams.flatmap(lambda data: st.tuples(st.just(data), cuts_of(len(data))))
    data, cuts = find(cut_streams, breaks)
    assert is_the_same(data, cuts)


@given(streams, st.data())
def test_a_limit_holds_for_every_cut(data: bytes, choose: st.DataObject) -> None:
    def is_refused(parts: list[bytes]) -> bool:
        try:
            read(parts, lambda: SseReader(6))
        except GatewayError as error:
            return error.code == "bad_response"
        return False

    assert is_refused([data]) == is_refused(pieces(data, choose.draw(cuts_of(len(data)))))


@given(st.lists(st.binary(max_size=8).map(lambda data: re.sub(rb"[\r\n]", b"", data)), min_size=1))
def test_what_is_framed_is_read_back(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    assert read([frame(data)]) == [Event(data)]
    assert read([frame(data, "error")]) == [Event(data, "error")]


@given(streams)
def test_what_is_forwarded_says_the_same_and_nothing_that_nobody_judged(data: bytes) -> None:
    events = read([data])
    forwarded = b"".join(event.forwardable for event in events)
    assert read([forwarded]) == events
    for hidden in (b"note", b"id:", b"retry:", b"other", b"bad name"):
        assert hidden not in forwarded
