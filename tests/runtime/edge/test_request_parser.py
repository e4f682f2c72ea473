"""Requests from bytes: what is read, what is refused and why, what is kept for later."""

import itertools
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.runtime.edge import request_parser
from kt.runtime.edge.request_parser import BadRequest, RequestHead, RequestParser
from tests.support.sockets import request_bytes

LIMIT = 2**16
GET = b"GET / HTTP/1.1\r\nhost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


def parsed(data: bytes) -> RequestParser:
    """A parser that was fed once."""
    parser = RequestParser(LIMIT)
    parser.feed(data)
    return parser


def head_of(data: bytes) -> RequestHead:
    """The head of a request that has one."""
    head = parsed(data).head
    assert head is not None
    return head


def all_requests(pieces: list[bytes]) -> list[tuple[RequestHead | None, bytes]]:
    """Every whole request, however it was cut."""
    parser, found, body = RequestParser(LIMIT), [], b""
    for piece in [*pieces, b""]:
        parser.feed(piece)
        while parser.is_done:
            found.append((parser.head, body + b"".join(parser.pieces)))
            body = b""
            parser.begin()
            parser.feed(b"")
        body += b"".join(parser.pieces)
        parser.pieces = []
    return found


def test_a_head_is_read() -> None:
    head = head_of(b"PUT /a%2Fb?c=d HTTP/1.1\r\nHost: a\r\nX-Y:  z\xff \r\n\r\n")
    assert (head.method, head.target, head.version) == ("PUT", b"/a%2Fb?c=d", "1.1")
    assert head.headers == ((b"host", b"a"), (b"x-y", b"z\xff"))
    assert head.keeps
    assert not head.expects_continue


@pytest.mark.parametrize(
    ("written", "target"),
    [
        (b"http://host:1/path?q", b"/path?q"),
        (b"https://host", b"/"),
        (b"http://host?q", b"/?q"),
        (b"*", b"*"),
        (b"//x", b"//x"),
        (b"/%zz?%00", b"/%zz?%00"),
    ],
)
def test_a_target_becomes_a_path_and_is_left_alone(written: bytes, target: bytes) -> None:
    assert head_of(b"OPTIONS " + written + b" HTTP/1.1\r\nhost: a\r\n\r\n").target == target


@pytest.mark.parametrize(
    ("lines", "keeps"),
    [
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", True),
    ],
)
def test_who_keeps_the_connection(lines: bytes, keeps: bool) -> None:
    assert head_of(lines).keeps is keeps


def test_an_upgrade_is_not_seen_and_its_body_is_a_body() -> None:
    lines = b"connection: upgrade\r\nUpgrade: h2c\r\ncontent-length: 5\r\n\r\nGET /"
    parser = parsed(b"POST / HTTP/1.1\r\nhost: a\r\n" + lines)
    assert (parser.pieces, parser.is_done) == ([b"GET /"], True)


def test_an_expectation_is_told() -> None:
    assert head_of(GET + b"expect: 100-Continue\r\ncontent-length: 1\r\n\r\n").expects_continue
    assert not head_of(b"GET / HTTP/1.0\r\nexpect: 100-continue\r\n\r\n").expects_continue


REFUSED = {
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"host: a\r\n\r\n", 400),
    "two hosts on 1.0": (b"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", 400),
    "not a host": (b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", 400),
    "two hosts in one": (b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400),
    "ICE": (b"SOURCE / ICE/1.0\r\n\r\n", 400),
    "RTSP": (b"DESCRIBE / RTSP/1.0\r\n\r\n", 400),
    "1.2": (b"GET / HTTP/1.2\r\n\r\n", 505),
    "2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "0.9": (b"GET /\r\n", 400),
    "no method": (b"FOO / HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "lower case": (b"get / HTTP/1.1\r\n", 400),
    "tunnel": (b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", 501),
    "bad target": (b"GET x HTTP/1.1\r\n", 400),
    "fragment": (b"GET /#x HTTP/1.1\r\n", 400),
    "byte in target": (b"GET /\xff HTTP/1.1\r\n", 400),
    "long target": (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n", 414),
    "endless target": (b"GET /" + b"x" * 9000, 414),
    "tls": (b"\x16\x03\x01\x02", 400),
    "bare line feed": (b"GET / HTTP/1.1\nhost: a\n\n", 400),
    "large header": (GET + b"x: " + b"y" * 17_000 + b"\r\n\r\n", 431),
    "many headers": (GET + b"x: y\r\n" * 100 + b"\r\n", 431),
    "endless head": (GET + b"x: y\r\n" * 20_000, 431),
    "gzip": (GET + b"transfer-encoding: gzip, chunked\r\n\r\n", 501),
    "coding on 1.0": (b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", 400),
    "endless extension": (CHUNKED + b"1;" + b"x" * 20_000, 400),
    "endless trailers": (CHUNKED + b"0\r\nx: " + b"y" * 20_000, 400),
    "many trailers": (CHUNKED + b"0\r\n" + b"x: y\r\n" * 101 + b"\r\n", 431),
    "extension on each chunk": (CHUNKED + (b"1;" + b"x" * 90 + b"\r\ny\r\n") * 300, 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_is_refused(name: str) -> None:
    data, status = REFUSED[name]
    with pytest.raises(BadRequest) as caught:
        parsed(data)
    assert caught.value.status is HTTPStatus(status)


def test_what_is_said_of_a_bad_request_never_quotes_it() -> None:
    with pytest.raises(BadRequest) as caught:
        parsed(GET + b"x: secret\0\r\n\r\n")
    assert "secret" not in caught.value.message
    assert "Invalid header value char" in caught.value.message


def test_trailers_are_no_headers() -> None:
    parser = parsed(CHUNKED + b"1\r\nx\r\n0\r\nhost: b\r\nx: y\r\n\r\n")
    assert parser.is_done
    assert parser.head is not None
    assert [name for name, _ in parser.head.headers] == [b"host", b"transfer-encoding"]


def test_what_comes_ahead_waits_unread() -> None:
    ahead = b"\0 nonsense \r\n\r\n"
    parser = parsed(CHUNKED + b"1\r\nx\r\n0\r\n\r\n" + ahead)
    assert (parser.is_done, parser.waiting) == (True, len(ahead))


def test_small_chunks_are_no_flood() -> None:
    parser = parsed(CHUNKED + b"0001;e=f\r\nx\r\n" * 100_000 + b"0\r\n\r\n")
    assert (parser.is_done, sum(map(len, parser.pieces))) == (True, 100_000)


HEADS = st.sampled_from(
    [b"", b"x: y\r\n", b"connection: upgrade\r\nupgrade: h2c\r\n", b"\xc3: 1\r\n"]
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A valid request and its body, which may look like the end of something."""
    path = draw(st.sampled_from(["/", "/a?b=c", "http://x/y"]))
    parts = draw(st.lists(st.sampled_from([b"a", b"\r\n", b"\r\n\r\n", b"0\r\n\r\n"]), max_size=6))
    body = b"".join(parts)
    if draw(st.booleans()):
        return draw(st.sampled_from([b"", b"\r\n"])) + request_bytes("POST", path, (), body), body
    sizes = draw(st.sampled_from(["%x", "%X;x=y", "00%x"]))
    chunks = b"".join((sizes % len(p)).encode() + b"\r\n" + p + b"\r\n" for p in parts)
    trailer = draw(st.sampled_from([b"", b"x: y\r\n"]))
    head = request_bytes("POST", path, [("transfer-encoding", "chunked")])
    return head + chunks + b"0\r\n" + trailer + b"\r\n", body


def check_cuts() -> None:
    """Wherever requests are cut, the same requests come out."""

    @given(st.lists(requests(), min_size=1, max_size=4), st.sets(st.integers(1, 2000)))
    def law(sent: list[tuple[bytes, bytes]], places: set[int]) -> None:
        data = b"".join(one for one, _ in sent)
        bounds = [0, *sorted(place for place in places if place < len(data)), len(data)]
        cut = [data[start:end] for start, end in itertools.pairwise(bounds)]
        whole = all_requests([data])
        assert [body for _, body in whole] == [body for _, body in sent]
        assert all_requests(cut) == whole
        assert all_requests([data[at : at + 1] for at in range(len(data))]) == whole

    law()


def test_where_a_request_is_cut_changes_nothing() -> None:
    check_cuts()


def test_the_law_of_cuts_finds_a_slice_that_ends_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestParser, "_slice_size", lambda self: len(self._buffer))
    with pytest.raises((AssertionError, BadRequest, ExceptionGroup)):
        check_cuts()


@given(st.lists(st.binary(max_size=200) | st.sampled_from([GET, CHUNKED, b"\r\n", b"5\r\n"])))
def test_garbage_is_read_or_refused_and_never_piles_up(pieces: list[bytes]) -> None:
    parser = RequestParser(200)
    try:
        for piece in pieces:
            if not parser.is_done:
                parser.feed(piece)
                assert parser.head is not None or parser.waiting <= 200
    except BadRequest:
        return


SMALL = CHUNKED + b"3;a=b\r\nxyz\r\n0\r\nx: y\r\n\r\n"


@given(st.integers(len(CHUNKED), len(SMALL) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_moves_no_border(at: int, byte: int) -> None:
    text = bytearray(SMALL)
    text[at] = byte
    parser = RequestParser(LIMIT)
    try:
        parser.feed(bytes(text))
    except BadRequest:
        return
    # A size that grew waits for more.
    assert not parser.is_done or (len(b"".join(parser.pieces)), parser.waiting) == (3, 0)


def test_the_limits_are_the_documented_ones() -> None:
    limits = (request_parser.MAX_TARGET, request_parser.MAX_HEADER, request_parser.MAX_HEADERS)
    assert limits == (8192, 16384, 100)
