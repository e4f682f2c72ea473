"""Positions: offsets to lines and columns."""

from hypothesis import given
from hypothesis import strategies as st

from kt.source import Source, Span


def test_a_position_counts_lines_and_columns_from_one() -> None:
    source = Source("a.yaml", "one\ntwo\n")
    assert source.position(0) == (1, 1)
    assert source.position(5) == (2, 2)
    assert source.place(Span(5, 6)) == "a.yaml:2:2"


def test_a_line_comes_without_its_break() -> None:
    assert Source("a", "one\r\ntwo").line(1) == "one"
    assert Source("a", "one\r\ntwo").line(2) == "two"


def test_a_covering_span_contains_both() -> None:
    assert Span(3, 5).covering(Span(1, 4)) == Span(1, 5)


@given(st.text(alphabet="ab\n\r\U0001f600", max_size=40), st.data())
def test_every_offset_has_a_position_that_leads_back_to_it(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    line, column = Source("a", text).position(offset)
    assert len("\n".join(text.split("\n")[: line - 1])) + (line > 1) + column - 1 == offset
