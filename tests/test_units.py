"""Durations and sizes: one spelling means one thing, and what is shown can be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.units import parse_duration, parse_size, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("5s", 5), ("2m", 120), ("1h", 3600), ("7d", 604800), ("1.5s", 1.5)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("64kb", 65536), ("4KB", 4096), ("10mb", 10485760), ("1GiB", 2**30), ("7b", 7)],
)
def test_a_size_is_bytes_in_binary_multiples(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "5 weeks", "1e3s", "5s5s", "\u0665s"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|number|whole"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "kb", "-1kb", "0.3b", "5 parsecs"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|number|whole"):
        parse_size(text)


@given(st.integers(1, 10**9))
def test_a_shown_duration_reads_back(milliseconds: int) -> None:
    shown = show_duration(milliseconds / 1000)
    assert parse_duration(shown) == pytest.approx(milliseconds / 1000, rel=1e-9)


@given(st.integers(0, 2**40))
def test_a_shown_size_reads_back(size: int) -> None:
    assert parse_size(show_size(size)) == size
