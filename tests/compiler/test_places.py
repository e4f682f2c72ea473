"""Where characters stand in the source, however YAML wrote them."""

from collections.abc import Callable

import attrs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler.places import between, places_of, span_inside
from kt.compiler.reader import read
from kt.compiler.tree import Scalar
from kt.diagnostics import Report
from kt.source import Source, Span


def scalar_of(text: str) -> Scalar:
    """The value of the key `a`."""
    tree = read(Source("kt.yaml", text), Report(Source("kt.yaml", text)))
    entry = None if tree is None else tree.get("a")
    assert entry is not None
    assert isinstance(entry.value, Scalar)
    return entry.value


def found_at(text: str, part: str) -> str | None:
    """What stands in the source where a part of the scalar's text is said to stand."""
    scalar = scalar_of(text)
    if places_of(text, scalar) is None:
        return None
    start = scalar.text.index(part)
    span = span_inside(text, scalar, start, start + len(part))
    return text[span.start : span.end]


@pytest.mark.parametrize(
    ("written", "part", "found"),
    [
        ("plain text", "text", "text"),
        ("one\n  two\n  three", "three", "three"),
        ("one\n  two", "e t", "e\n  t"),
        ("'it''s so'", "so", "so"),
        ("'it''s so'", "t's", "t''s"),
        ('"it"', "it", "it"),
        ('"  "', "  ", "  "),
        (r'"a\x41b \" \\ \u00e9 c"', "c", "c"),
        (r'"a\x41b"', "A", "\\"),
        (r'"a\n\tb"', "b", "b"),
        ('"a\\\n  b"', "ab", "a\\\n  b"),
        ("|\n  block of\n    text\n", "text", "text"),
        ("|2- # not this\n   block\n", "block", "block"),
        (">-\n  one\n  two\n\n  three\n", "three", "three"),
        (">-\n  one\n  two\n", "one two", "one\n  two"),
        ("'é😀!'", "!", "!"),
    ],
)
def test_a_part_of_a_text_has_its_place(written: str, part: str, found: str) -> None:
    assert found_at(f"a: {written}", part) == found


def test_an_unusual_escape_leaves_the_places_unknown() -> None:
    text = r'a: "\a b"'
    scalar = attrs.evolve(scalar_of('a: "x b"'), text="\a b", span=Span(3, len(text)))
    assert places_of(text, scalar) is None
    assert span_inside(text, scalar, 0, 1) == scalar.span


def test_a_text_that_was_changed_later_has_no_places() -> None:
    text = "a: rules"
    changed = attrs.evolve(scalar_of(text), text="rules.1")
    assert places_of(text, changed) is None
    assert span_inside(text, changed, 0, 1) == changed.span


def test_what_lies_behind_the_end_is_the_end() -> None:
    assert between((5, 6, 7), 9, 12) == Span(7, 7)
    assert between((5, 6, 7), 1, 9) == Span(6, 7)


STYLES = st.sampled_from([None, "'", '"', "|", ">"])
TEXTS = st.text("ab'\"\\ é#:\n\t-|>", min_size=1, max_size=40)


def check_places(text: str, find: Callable[[str, Scalar], tuple[int, ...] | None]) -> None:
    """Demand that every character stands where it is said to stand, or is escaped there."""
    scalar = scalar_of(text)
    places = find(text, scalar)
    assert places is not None
    assert list(places) == sorted(places)
    for character, at in zip(scalar.text, places, strict=False):
        is_escape = text[at] == "\\" and text[scalar.span.start] == '"'
        assert character.isspace() or is_escape or text[at] == character


@given(TEXTS, STYLES, st.integers(20, 80))
def test_every_character_of_every_style_has_its_place(
    value: str, style: str | None, width: int
) -> None:
    text = yaml.dump({"a": value}, default_style=style, width=width, allow_unicode=True)
    check_places(text, places_of)


def test_the_law_of_places_finds_a_shift() -> None:
    def planted(text: str, scalar: Scalar) -> tuple[int, ...] | None:
        return tuple(scalar.span.start + at for at in range(len(scalar.text) + 1))

    check_places("a: bc", planted)
    with pytest.raises(AssertionError):
        check_places("a: 'bc'", planted)
