"""HTTP/1.1 answers from bytes: what is valid is the same however it is cut, all else is refused."""

import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.transport import answer_parser
from kt.transport.answer_parser import MAX_HEADERS, MAX_OVERHEAD, AnswerParser
from kt.transport.failures import BadAnswer
from kt.transport.messages import AnswerHead

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n"

Parsed = tuple[AnswerHead | None, bytes, bool, bool]


def parse(pieces: list[bytes], *, ends: bool = False, is_to_head: bool = False) -> Parsed:
    """The head, the body, whether it is complete, and whether the connection can go on."""
    parser = AnswerParser()
    parser.begin(is_to_head=is_to_head)
    for piece in pieces:
        parser.feed(piece)
        if parser.is_done:
            break
    if ends and not parser.is_done:
        parser.feed_end()
    return parser.head, b"".join(parser.pieces), parser.is_done, parser.is_done and parser.can_reuse


@pytest.mark.parametrize(
    ("answer", "body", "can_reuse"),
    [
        (OK + b"content-length: 2\r\n\r\nhi", b"hi", True),
        (OK + b"content-length:2 \r\n\r\nhi", b"hi", True),
        (OK + b"content-length: 0\r\n\r\n", b"", True),
        (CHUNKED + b"\r\n2\r\nhi\r\n3\r\n ho\r\n0\r\n\r\n", b"hi ho", True),
        (CHUNKED + b"\r\n2;name=value\r\nhi\r\n0\r\n\r\n", b"hi", True),
        (CHUNKED + b"\r\n2\r\nhi\r\n0\r\nx-trailer: y\r\n\r\n", b"hi", True),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", b"", True),
        (OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"hi", False),
        (
            b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi",
            b"hi",
            True,
        ),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.1 103 Hints\r\nx: y\r\n\r\n" + OK + b"content-length: 2\r\n\r\nhi", b"hi", True),
        (OK + b"upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 2\r\n\r\nhi", b"hi", True),
    ],
)
def test_an_answer_has_its_body_and_says_whether_the_connection_goes_on(
    answer: bytes, body: bytes, *, can_reuse: bool
) -> None:
    whole = parse([answer])
    assert whole[1:] == (body, True, can_reuse)
    assert parse([answer[at : at + 1] for at in range(len(answer))]) == whole


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    answer = OK + b"x: y\r\n\r\nabc"
    assert parse([answer]) == (AnswerHead(200, ((b"x", b"y"),)), b"abc", False, False)
    assert parse([answer], ends=True)[1:] == (b"abc", True, False)


def test_an_answer_to_head_has_no_body_and_its_connection_is_not_used_again() -> None:
    answer = OK + b"content-length: 5\r\n\r\n"
    assert parse([answer], is_to_head=True)[1:] == (b"", True, False)


def test_a_second_answer_is_never_mixed_with_the_first() -> None:
    answer = OK + b"content-length: 2\r\n\r\nhi"
    for surplus in (OK + b"content-length: 2\r\n\r\nho", b"\x00", b"garbage", b"HTTP/1.1 200"):
        assert parse([answer + surplus])[1:] == (b"hi", True, False)


def test_the_answers_of_a_connection_come_one_after_the_other() -> None:
    parser = AnswerParser()
    for body in (b"hi", b"there"):
        parser.begin()
        assert not parser.has_begun
        parser.feed(OK + b"content-length: %d\r\n\r\n" % len(body) + body)
        assert (parser.pieces, parser.is_done, parser.can_reuse) == ([body], True, True)


MALFORMED = {
    "a length beside chunks": CHUNKED + b"content-length: 3\r\n\r\n0\r\n\r\n",
    "chunks beside a length": OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
    "a length twice": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nhi",
    "two lengths in one": OK + b"content-length: 2, 2\r\n\r\nhi",
    "a signed length": OK + b"content-length: +2\r\n\r\nhi",
    "a negative length": OK + b"content-length: -2\r\n\r\nhi",
    "a length in hexadecimal": OK + b"content-length: 0x2\r\n\r\nhi",
    "an empty length": OK + b"content-length:\r\n\r\nhi",
    "a length without end": OK + b"content-length: 99999999999999999999999\r\n\r\nhi",
    "an unknown coding": OK + b"transfer-encoding: gzip\r\n\r\nabc",
    "a coding before chunks": OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunks": OK + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "the coding identity": OK + b"transfer-encoding: identity\r\n\r\nhi",
    "chunks twice": CHUNKED + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "nearly chunked": OK + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "no size": CHUNKED + b"\r\nzz\r\nhi\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"\r\n2\r\nhiX\r\n0\r\n\r\n",
    "a negative size": CHUNKED + b"\r\n-2\r\nhi\r\n0\r\n\r\n",
    "a size with a space": CHUNKED + b"\r\n2 \r\nhi\r\n0\r\n\r\n",
    "a size with a prefix": CHUNKED + b"\r\n0x2\r\nhi\r\n0\r\n\r\n",
    "a size without end": CHUNKED + b"\r\nfffffffffffffffff\r\nhi\r\n",
    "chunks ended by line feeds": CHUNKED + b"\r\n2\nhi\n0\n\n",
    "a length in the trailer": CHUNKED + b"\r\n0\r\ncontent-length: 5\r\n\r\n",
    "a coding in the trailer": CHUNKED + b"\r\n0\r\ntransfer-encoding: chunked\r\n\r\n",
    "a folded line": OK + b"a: b\r\n c\r\ncontent-length: 0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "a zero byte": OK + b"a: b\0c\r\ncontent-length: 0\r\n\r\n",
    "a carriage return in a value": OK + b"a: b\rc\r\ncontent-length: 0\r\n\r\n",
    "a space before the colon": OK + b"a : b\r\ncontent-length: 0\r\n\r\n",
    "no colon": OK + b"abc\r\n\r\n",
    "no name": OK + b": c\r\n\r\n",
    "a bad name": OK + b"a(b): c\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc",
    "a bare switch of protocols": b"HTTP/1.1 101 Switching\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/2.0 after a hint": b"HTTP/1.1 103 H\r\n\r\nHTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\n\r\n",
    "RTSP": b"RTSP/1.0 200 OK\r\n\r\n",
    "ICE": b"ICE/1.0 200 OK\r\n\r\n",
    "empty lines first": b"\r\n\r\n" + OK + b"content-length: 0\r\n\r\n",
    "a request": b"POST / HTTP/1.1\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 OK\r\n\r\n",
    "a status of six digits": b"HTTP/1.1 999999 OK\r\n\r\n",
    "the status zero": b"HTTP/1.1 000 OK\r\ncontent-length: 0\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01",
    "too many headers": OK + b"a: b\r\n" * (MAX_HEADERS + 1) + b"content-length: 0\r\n\r\n",
    "too many trailers": CHUNKED + b"\r\n0\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_whole_and_byte_by_byte(name: str) -> None:
    answer = MALFORMED[name]
    for pieces in ([answer], [answer[at : at + 1] for at in range(len(answer))]):
        with pytest.raises(BadAnswer):
            parse(pieces)


def _feed_often(parser: AnswerParser, step: bytes, times: int) -> None:
    for _ in range(times):
        parser.feed(step)


@pytest.mark.parametrize(
    ("start", "filler"),
    [
        (OK + b"a: ", b"x"),
        (OK + b"a", b"x"),
        (b"HTTP/1.1 200 ", b"x"),
        (b"", b"HTTP/1.1 103 Hints\r\n\r\n"),
        (CHUNKED + b"\r\n2;", b"x"),
        (CHUNKED + b"\r\n2\r\nhi\r\n0\r\na: ", b"x"),
    ],
)
def test_what_has_no_end_and_is_no_body_is_refused_soon(start: bytes, filler: bytes) -> None:
    parser = AnswerParser()
    parser.begin()
    parser.feed(start)
    step = filler * (1024 // len(filler))
    with pytest.raises(BadAnswer):
        _feed_often(parser, step, 2 * MAX_OVERHEAD // len(step))


def test_a_body_may_be_longer_than_what_surrounds_it() -> None:
    answer = OK + b"content-length: 1000000\r\n\r\n" + b"x" * 1000000
    pieces = [answer[at : at + 65536] for at in range(0, len(answer), 65536)]
    assert parse(pieces)[1:] == (b"x" * 1000000, True, True)


NAMES = st.sampled_from([b"x-a", b"Retry-After", b"content-type", b"x-ratelimit-limit"])
VALUES = st.binary(max_size=12).map(lambda data: bytes(b % 94 + 33 for b in data))


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes, int]:
    """A valid answer on the wire, its body, and its status."""
    status = draw(st.integers(200, 599).filter(lambda status: status not in (204, 304)))
    pieces = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
    fields = draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    head = b"HTTP/1.1 %d Reason\r\n" % status + lines
    head = b"HTTP/1.1 100 Continue\r\n\r\n" * draw(st.integers(0, 2)) + head
    body = b"".join(pieces)
    if draw(st.booleans()):
        wire = head + b"content-length: %d\r\n\r\n" % len(body) + body
        return wire, body, status
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    trailer = draw(st.sampled_from([b"", b"x-sum: 1\r\n"]))
    wire = head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailer + b"\r\n"
    return wire, body, status


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces."""
    at = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(at) if a < b]


def check_cuts(wire: bytes, body: bytes, status: int, places: list[int]) -> None:
    """Hold a valid answer, cut anywhere, against itself."""
    parsed = parse(cut(wire, places))
    assert parsed == parse([wire])
    assert parsed[0] is not None
    assert (parsed[0].status, parsed[1:]) == (status, (body, True, True))


@given(answers(), st.lists(st.integers(0, 400), max_size=8))
def test_an_answer_is_the_same_however_it_is_cut(
    answer: tuple[bytes, bytes, int], places: list[int]
) -> None:
    check_cuts(*answer, places)


@given(answers(), st.integers(0, 400))
def test_an_answer_that_ends_early_is_never_complete(
    answer: tuple[bytes, bytes, int], place: int
) -> None:
    wire, _, _ = answer
    with pytest.raises(BadAnswer):
        parse([wire[: place % len(wire)] or b"H"], ends=True)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_any_bytes_are_an_answer_or_refused(data: bytes, places: list[int]) -> None:
    with suppress(BadAnswer):
        parse(cut(OK + data, places), ends=True)


# ---- The laws find planted bugs


def test_the_law_of_cuts_finds_an_opening_that_must_come_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check_opening(self: AnswerParser, data: bytes) -> None:
        if not data.startswith(b"HTTP/1."):
            raise BadAnswer("it is not HTTP/1")
        self._opening = b"HTTP/1."

    monkeypatch.setattr(AnswerParser, "_check_opening", check_opening)
    with pytest.raises(BadAnswer):
        check_cuts(OK + b"content-length: 2\r\n\r\nhi", b"hi", 200, [3])


def test_the_bound_finds_a_parser_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_parser, "MAX_OVERHEAD", 10**9)
    parser = AnswerParser()
    parser.begin()
    parser.feed(OK + b"a: ")
    for _ in range(3):
        parser.feed(b"x" * 65536)
