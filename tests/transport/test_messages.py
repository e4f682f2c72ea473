"""Origins and request heads: what is written ahead, and that no header ends its own line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.transport.messages import Header, Origin, RequestHead


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("http://a.test", Origin("a.test", 80, is_tls=False), b"a.test"),
        ("https://a.test/v2", Origin("a.test", 443, is_tls=True), b"a.test"),
        ("https://a.test:80", Origin("a.test", 80, is_tls=True), b"a.test:80"),
        ("http://[::1]:8000", Origin("::1", 8000, is_tls=False), b"[::1]:8000"),
    ],
)
def test_an_origin_is_read_from_a_url(url: str, origin: Origin, authority: bytes) -> None:
    assert Origin.of(url) == origin
    assert origin.authority == authority


def head(*headers: Header, method: bytes = b"POST") -> RequestHead:
    """A head to one origin."""
    return RequestHead(Origin("a.test", 443, is_tls=True), method, b"/v1/x", headers)


def test_a_head_is_written_with_what_every_request_adds() -> None:
    assert head((b"a", b"b")).http1([(b"c", b"d")], 4) == (
        b"POST /v1/x HTTP/1.1\r\nhost: a.test\r\na: b\r\nc: d\r\ncontent-length: 4\r\n\r\n"
    )
    assert head(method=b"GET").http1([], 0) == b"GET /v1/x HTTP/1.1\r\nhost: a.test\r\n\r\n"
    assert head().http1([], 0).endswith(b"\r\ncontent-length: 0\r\n\r\n")


def test_the_same_head_in_http2() -> None:
    assert head((b"A", b"b")).http2([(b"c", b"d")], 4) == [
        (b":method", b"POST"),
        (b":authority", b"a.test"),
        (b":scheme", b"https"),
        (b":path", b"/v1/x"),
        (b"a", b"b"),
        (b"c", b"d"),
        (b"content-length", b"4"),
    ]


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb"])
def test_a_bad_name_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        head((name, b"x"))


@given(st.binary(max_size=8).map(lambda data: data + b"\n"), st.binary(max_size=8))
def test_no_value_adds_a_line(start: bytes, end: bytes) -> None:
    for broken in (start + end, start.replace(b"\n", b"\r") + end, b"\0" + end):
        with pytest.raises(ValueError, match="header"):
            head((b"a", broken))
        for written in (head().http1, head().http2):
            with pytest.raises(ValueError, match="header"):
                written([(b"a", broken)], 1)


def test_a_key_is_not_in_what_is_shown() -> None:
    assert "sk-1" not in repr(head((b"authorization", b"Bearer sk-1")))
