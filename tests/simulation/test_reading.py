"""What a client reads."""

import pytest

from kt.simulation.reading import Unreadable, asked_text, events, read_answers, read_said

CHAT = "/v1/chat/completions"
DELTA = b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error": {"code": "output_blocked"}}\n\n'


def streamed(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A streamed answer in chunks."""
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    return head + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in parts) + end


def test_answers_follow_each_other() -> None:
    short = b"HTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n"
    found = read_answers(short + streamed(DELTA), is_ended=False)
    assert [(one.status, one.is_complete) for one in found] == [(204, True), (200, True)]
    half = read_answers(streamed(DELTA, end=b"5\r\nab"), is_ended=True)[0]
    assert not half.is_complete


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\nmore",
        b"SPDY\r\n\r\n",
        streamed(end=b"zz\r\n"),
        streamed(end=b"1\r\nabc\r\n"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answers(data, is_ended=True)


@pytest.mark.parametrize(
    ("parts", "text", "error", "is_good", "after_end"),
    [
        ((DELTA, DELTA, DONE), "hihi", None, True, 0),
        ((DELTA, ERROR), "hi", "output_blocked", False, 0),
        ((DELTA, ERROR, DONE), "hi", "output_blocked", False, 1),
        ((DELTA, DONE, DELTA), "hi", None, True, 1),
        ((DELTA,), "hi", None, False, 0),
    ],
)
def test_how_a_stream_ends(
    parts: tuple[bytes, ...], text: str, error: str | None, is_good: bool, after_end: int
) -> None:
    said = read_said(CHAT, read_answers(streamed(*parts), is_ended=False)[0])
    assert (said.text, said.error) == (text, error)
    assert (said.is_good, said.after_end) == (is_good, after_end)


def test_events_without_ids() -> None:
    assert events(b": ping\n\ndata: 1\n\ndata: 2") == ("1",)
    with pytest.raises(Unreadable):
        events(b"id: 1\ndata: 1\n\n")


def test_the_text_of_a_request() -> None:
    assert asked_text(b'{"input": "a"}') == "a"
    assert asked_text(b'{"messages": [{"content": "a"}]}') == "a"
    with pytest.raises(Unreadable):
        asked_text(b"{}")
