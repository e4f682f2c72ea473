"""Server-sent events by example."""

import pytest

from kt.errors import GatewayError
from kt.wire.sse import KEEP_ALIVE, Event, SseReader, frame


def test_a_comment_becomes_an_empty_one_with_a_single_line_end() -> None:
    (event,) = SseReader(100).feed(b": processing your secret\n")
    assert event.data is None
    assert event.forwardable == KEEP_ALIVE == b":\n"


def test_an_id_is_read_over() -> None:
    (event,) = SseReader(100).feed(b"id: 1\ndata: {}\n\n")
    assert event.forwardable == b"data: {}\n\n"


def test_an_event_name_is_kept_where_it_is_a_name() -> None:
    named, strange = SseReader(100).feed(b"event: ping\ndata: 1\n\nevent: a b\ndata: 2\n\n")
    assert (named.name, strange.name) == ("ping", None)
    assert named.forwardable == b"event: ping\ndata: 1\n\n"


def test_the_end_of_the_bytes_ends_an_event_but_completes_no_line() -> None:
    reader = SseReader(100)
    assert reader.feed(b"data: [DONE]\ndata: ha") == ()
    assert reader.finish() == (Event(b"[DONE]"),)
    assert reader.finish() == ()


def test_an_event_above_the_limit_is_a_bad_response() -> None:
    reader = SseReader(10)
    reader.feed(b"data: 1234")
    with pytest.raises(GatewayError, match="larger than allowed") as caught:
        reader.feed(b"5")
    assert caught.value.code == "bad_response"


def test_many_small_lines_of_one_event_count_together() -> None:
    reader = SseReader(100)
    with pytest.raises(GatewayError):
        reader.feed(b"data:\n" * 101)


def test_comments_never_fill_the_memory() -> None:
    reader = SseReader(10)
    assert len(reader.feed(b":\n" * 1000)) == 1000
    assert repr(reader) == "<SseReader 0 bytes pending>"


def test_data_with_line_breaks_is_framed_line_by_line() -> None:
    assert frame(b"a\nb\r\nc\rd") == b"data: a\ndata: b\ndata: c\ndata: d\n\n"
