"""Views of a growing text and the way back to the original."""

# ruff: noqa: RUF001  # look-alikes are what some of these texts are for

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.patterns.confusables import PLAIN
from kt.patterns.views import INVISIBLE, GrowingView, view_of
from kt.policy import View
from tests.support.pattern_strategies import ALPHABET, cut, shown, sizes, texts

views = st.sampled_from(list(View))


def grown(view: View, pieces: list[str]) -> GrowingView:
    growing = GrowingView(view)
    for piece in pieces:
        growing.append(piece)
    return growing


@given(views, st.one_of(texts, st.text()), sizes)
def test_the_view_of_a_text_is_the_views_of_its_pieces(
    view: View, text: str, piece_sizes: list[int]
) -> None:
    growing = grown(view, cut(text, piece_sizes))
    assert growing.data.decode() == view_of(view, text)
    assert growing.data.decode() == "".join(shown(view, character) for character in text)
    assert growing.original_size == len(text.encode())


@given(views, texts, sizes, st.integers(0, 9))
def test_every_byte_of_a_view_knows_its_original_character(
    view: View, text: str, piece_sizes: list[int], forgotten: int
) -> None:
    growing = grown(view, cut(text, piece_sizes))
    growing.forget(min(forgotten, growing.end))
    offset = at = 0
    for character in text:
        size, view_size = len(character.encode()), len(shown(view, character).encode())
        is_same = shown(view, character) == character
        for byte in range(max(at, growing.start), at + view_size):
            if byte == at or not is_same:
                assert growing.original_start(byte) == offset
            if byte + 1 == at + view_size or not is_same:
                assert growing.original_end(byte + 1) == offset + size
        offset, at = offset + size, at + view_size
    assert growing.original_start(growing.end) == offset


@pytest.mark.parametrize(
    ("view", "text", "expected"),
    [
        (View.TEXT, "ａ\u200b", "ａ\u200b"),
        (View.NORMALIZED, "４１㎏ﬁ\u200bé", "41kgfié"),
        (View.NORMALIZED, "аpple", "аpple"),
        (View.FOLDED, "аррӏе", "apple"),
        (View.FOLDED, "na\u0308ïve Ā", "naive A"),
        (View.FOLDED, "한글", "한글"),
        (View.FOLDED, "ΑΒ", "AB"),
    ],
)
def test_a_view_shows(view: View, text: str, expected: str) -> None:
    assert view_of(view, text) == expected


SCRIPTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("eé\u0301\u1100\u1161ﬁ")))


@given(SCRIPTS)
def test_normalized_text_is_taken_over_as_it_is_and_rightly(text: str) -> None:
    normalized = unicodedata.normalize("NFKC", text)
    kept = "".join(character for character in normalized if character not in INVISIBLE)
    assert grown(View.NORMALIZED, [normalized]).data.decode() == kept


def test_plain_text_needs_one_run() -> None:
    growing = grown(View.NORMALIZED, ["plain ", "текст, ", "naïve"] * 50)
    assert len(growing._runs) == 1


def test_what_was_forgotten_needs_no_memory() -> None:
    growing = GrowingView(View.FOLDED)
    for _ in range(100):
        growing.append(ALPHABET)
        growing.forget(growing.end)
    assert growing.data == b""
    assert len(growing._runs) <= 1
    assert growing.original_size == 100 * len(ALPHABET.encode())


def test_look_alikes_are_single_letters_that_only_folding_changes() -> None:
    for character, plain in PLAIN.items():
        assert not character.isascii()
        assert plain.isascii()
        assert plain.isalpha()
        assert view_of(View.FOLDED, character) == plain
