"""Answers to bytes: framing, what the connection decides, what an app may not do."""

from http import HTTPStatus

import pytest

from kt.runtime.edge.answer_writer import AnswerWriter, AppMistake, Stamp, mistake, refusal
from kt.runtime.edge.request_parser import BadRequest
from kt.runtime.inbox import Message


def writer(version: str = "1.1", *, is_to_head: bool = False, keeps: bool = True) -> AnswerWriter:
    """A writer at noon of the first day."""
    stamp = Stamp(lambda: 43_200.5)
    return AnswerWriter(stamp, version=version, is_to_head=is_to_head, may_keep=lambda: keeps)


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    """The first message."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    """A part of the body."""
    return {"type": "http.response.body", "body": data, "more_body": more}


STAMP = b"date: Thu, 01 Jan 1970 12:00:00 GMT\r\nserver: kt\r\n"


def test_a_whole_answer_is_one_write() -> None:
    one = writer()
    assert one.bytes_of(start(200, (b"x", b"y"))) == b""
    expected = b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 2\r\n" + STAMP + b"\r\nhi"
    assert one.bytes_of(body(b"hi")) == expected
    assert (one.is_ended, one.keeps) == (True, True)


def test_a_stream_is_chunked() -> None:
    one = writer()
    one.bytes_of(start())
    assert one.bytes_of(body(b"a" * 17, more=True)).endswith(
        b"\r\n\r\n11\r\n" + b"a" * 17 + b"\r\n"
    )
    assert one.bytes_of(body(more=True)) == b""
    assert one.bytes_of(body(b"b")) == b"1\r\nb\r\n0\r\n\r\n"


def test_a_stream_of_http_1_0_ends_with_the_connection() -> None:
    one = writer("1.0")
    one.bytes_of(start())
    first = one.bytes_of(body(b"a", more=True))
    assert b"chunked" not in first
    assert b"connection: close\r\n" in first
    assert one.bytes_of(body(b"b")) == b"b"
    assert not one.keeps


def test_http_1_0_is_told_that_the_connection_stays() -> None:
    one = writer("1.0")
    one.bytes_of(start())
    assert b"connection: keep-alive\r\n" in one.bytes_of(body(b"a"))


def test_a_last_answer_says_so() -> None:
    one = writer(keeps=False)
    one.bytes_of(start())
    assert b"connection: close\r\n" in one.bytes_of(body(b"a"))


def test_a_head_has_the_length_and_no_body() -> None:
    one = writer(is_to_head=True)
    one.bytes_of(start(200, (b"content-length", b"5")))
    written = one.bytes_of(body(b"12345"))
    assert b"content-length: 5\r\n" in written
    assert written.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body(status: int) -> None:
    one = writer()
    one.bytes_of(start(status, (b"content-length", b"0")))
    written = one.bytes_of(body(b"x"))
    assert b"content-length" not in written
    assert written.endswith(b"\r\n\r\n")
    assert one.keeps


def test_the_connection_is_not_the_apps_to_decide() -> None:
    one = writer()
    one.bytes_of(start(299, (b"connection", b"x"), (b"transfer-encoding", b"x"), (b"date", b"x")))
    assert b": x\r\n" not in (written := one.bytes_of(body(b"a", more=True)))
    assert written.startswith(b"HTTP/1.1 299 \r\n")


@pytest.mark.parametrize(
    "messages",
    [
        [body()],
        [start(), start()],
        [start(), body(), body()],
        [start(), body(more=True), start()],
        [start(101)],
        [start(200, (b"content-length", b"1")), body(b"ab")],
        [start(200, (b"content-length", b"3")), body(b"ab")],
        [start(200, (b"content-length", b"3")), body(b"a", more=True), body(b"b")],
        [start(200, (b"content-length", b"x")), body(b"ab")],
        [start(200, (b"a", b"b\r\nc: d")), body()],
        [start(200, (b"a\n", b"b")), body()],
        [{"type": "http.response.trailers"}],
    ],
)
def test_an_app_that_breaks_the_rules_is_told(messages: list[Message]) -> None:
    *fine, last = messages
    one = writer()
    for message in fine:
        one.bytes_of(message)
    was_ended = one.is_ended
    with pytest.raises((AppMistake, ValueError)):
        one.bytes_of(last)
    assert one.is_ended is was_ended


def test_a_refusal_is_a_whole_answer() -> None:
    stamp = Stamp(lambda: 43_200.5)
    said = refusal(BadRequest(HTTPStatus.BAD_REQUEST, "two hosts"), stamp)
    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert said.endswith(
        b"content-length: 10\r\n" + STAMP + b"connection: close\r\n\r\ntwo hosts\n"
    )
    assert mistake(stamp).startswith(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n")


def test_the_date_is_made_once_per_second() -> None:
    times = iter([1.0, 1.9, 2.0])
    stamp = Stamp(lambda: next(times))
    first, second, third = stamp.lines(), stamp.lines(), stamp.lines()
    assert first is second
    assert third != second
