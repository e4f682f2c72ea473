"""GOAWAY frames are taken out, everything else passes byte for byte, however it is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.transport import goaway
from kt.transport.goaway import GOAWAY, MAX_PAYLOAD, GoawayFilter


def frame(kind: int, payload: bytes) -> bytes:
    """One frame of a stream."""
    return len(payload).to_bytes(3, "big") + bytes([kind, 0, 0, 0, 0, 1]) + payload


def goodbye(last: int, more: bytes = b"") -> bytes:
    """A GOAWAY frame."""
    return frame(GOAWAY, last.to_bytes(4, "big") + b"\0\0\0\0" + more)


def check_filter(frames: list[bytes], places: list[int]) -> None:
    """Hold the filter against a plain reading of whole frames."""
    data = b"".join(frames)
    at = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    kept, last = b"", None
    reader = GoawayFilter()
    for start, end in itertools.pairwise(at):
        remaining = reader.feed(data[start:end])
        kept += remaining.data
        last = last if remaining.last_stream is None else remaining.last_stream
    goodbyes = [one for one in frames if one[3] == GOAWAY]
    assert kept == b"".join(one for one in frames if one[3] != GOAWAY)
    assert last == (int.from_bytes(goodbyes[-1][9:13], "big") if goodbyes else None)


FRAMES = st.one_of(
    st.builds(
        frame, st.integers(0, 255).filter(lambda kind: kind != GOAWAY), st.binary(max_size=40)
    ),
    st.builds(goodbye, st.integers(0, 2**31 - 1), st.binary(max_size=10)),
)


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(0, 400), max_size=6))
def test_only_goodbyes_are_taken_out(frames: list[bytes], places: list[int]) -> None:
    check_filter(frames, places)


@pytest.mark.parametrize("size", [7, MAX_PAYLOAD + 1])
def test_a_goodbye_of_no_valid_size_is_left_to_h2(size: int) -> None:
    data = frame(GOAWAY, b"x" * size)
    assert GoawayFilter().feed(data) == (data, None)


def test_what_is_held_back_is_bounded() -> None:
    reader = GoawayFilter()
    reader.feed((2**24 - 1).to_bytes(3, "big") + bytes([GOAWAY, 0, 0, 0, 0, 0]))
    assert sum(len(reader.feed(b"x" * 1000).data) for _ in range(50)) == 50000


def test_the_law_finds_a_filter_that_takes_out_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goaway, "GOAWAY", 6)
    with pytest.raises(AssertionError):
        check_filter([frame(6, b"12345678")], [])
