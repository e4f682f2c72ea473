"""What is signed is exactly what is sent, and not for long."""

from hypothesis import given
from hypothesis import strategies as st

from kt.runtime.signing import TOLERANCE, is_genuine, signature

KEY = b"k" * 32
BODY = b'{"format":1}'
AT = 1_700_000_000


def test_the_form_is_what_the_page_says() -> None:
    assert signature(b"key", 1, b"body") == (
        "t=1,v1=91b5374b153842ad05b2c4eab9349b8321b14703165bd3fb8b034dfb8be98ae5"
    )


@given(st.binary(max_size=64), st.integers(0, 10**12 - 1), st.binary(max_size=200))
def test_who_has_the_key_recognizes_it(key: bytes, at: int, body: bytes) -> None:
    assert is_genuine(key, signature(key, at, body), body, float(at))


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_changed_byte_is_found(place: int, change: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= change
    assert not is_genuine(KEY, signature(KEY, AT, BODY), bytes(changed), AT)


def test_another_key_or_moment_is_found() -> None:
    signed = signature(KEY, AT, BODY)
    assert not is_genuine(b"other", signed, BODY, AT)
    assert not is_genuine(KEY, signed.replace(str(AT), str(AT + 1)), BODY, AT)


def test_it_holds_for_five_minutes_in_both_directions() -> None:
    signed = signature(KEY, AT, BODY)
    assert is_genuine(KEY, signed, BODY, AT + TOLERANCE)
    assert is_genuine(KEY, signed, BODY, AT - TOLERANCE)
    assert not is_genuine(KEY, signed, BODY, AT + TOLERANCE + 1)
    assert not is_genuine(KEY, signed, BODY, AT - TOLERANCE - 1)


@given(st.text(max_size=100))
def test_any_other_header_is_none(header: str) -> None:
    assert not is_genuine(KEY, header, BODY, AT)
