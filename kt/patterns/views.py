"""The form of a text on which rules match, and the way back to the text itself.

In: pieces of a growing text. Out: the bytes (UTF-8) of its view, and for every one of them the
original character that produced it. Each character is mapped on its own, so the view of a text is
the views of its pieces, one after the other. Never: an offset inside an original character.
"""

import functools
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping
from types import MappingProxyType

from kt.patterns.confusables import PLAIN
from kt.policy import View

_INVISIBLE_RANGES = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
INVISIBLE = frozenset(
    chr(point) for low, high in _INVISIBLE_RANGES for point in range(low, high + 1)
)
"""Unicode's Default_Ignorable_Code_Point, which a view leaves out."""


def view_of(view: View, text: str) -> str:
    """The view of a text."""
    return "".join(map(_SHOWN[view], text))


@functools.lru_cache(maxsize=16_384)
def _normalized(character: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", character) if c not in INVISIBLE)


@functools.lru_cache(maxsize=16_384)
def _folded(character: str) -> str:
    plain = [
        PLAIN.get(c, c)
        for c in unicodedata.normalize("NFKD", character)
        if c not in INVISIBLE and unicodedata.category(c) != "Mn"
    ]
    # WHY: a Korean syllable has no marks to lose; it must not stay in pieces.
    return unicodedata.normalize("NFC", "".join(plain))


_SHOWN: Mapping[View, Callable[[str], str]] = MappingProxyType(
    {View.TEXT: str, View.NORMALIZED: _normalized, View.FOLDED: _folded}
)


def _is_unchanged(view: View, text: str) -> bool:
    """Whether a text is certainly its own view; quick, and may miss some that are."""
    if text.isascii() or view is View.TEXT:
        return True
    if view is View.FOLDED:
        return False
    # A character with a mapping never stands in a normalized text, so no single one of it changes.
    return unicodedata.is_normalized("NFKC", text) and INVISIBLE.isdisjoint(text)


class GrowingView:
    """The view of a text that grows at its end and is forgotten at its start.

    Offsets into the view count from the text's start, whatever was forgotten since. The way back
    is a list of runs: (view offset, original offset, bytes of the one original character, or 0 for
    a run that is byte for byte the original). Characters without a view need no run.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._runs: list[tuple[int, int, int]] = []
        self.data = b""
        """The view's bytes from offset `start` on."""
        self.start = 0
        self.original_size = 0
        """The bytes of the original text so far."""

    @property
    def end(self) -> int:
        """The size of the view so far, what was forgotten included."""
        return self.start + len(self.data)

    def append(self, text: str) -> None:
        """Add the next piece of the text."""
        if _is_unchanged(self._view, text):
            data = text.encode()
            self._add_plain(self.end, len(data))
            self.data += data
        else:
            self.data += b"".join(self._characters(text))

    def _characters(self, text: str) -> list[bytes]:
        shown = _SHOWN[self._view]
        parts: list[bytes] = []
        end = self.end
        for character in text:
            mapped = shown(character)
            data = mapped.encode()
            if mapped == character:
                self._add_plain(end, len(data))
            else:
                self._add_changed(end, len(data), len(character.encode()))
            parts.append(data)
            end += len(data)
        return parts

    def _add_plain(self, at: int, size: int) -> None:
        last = self._runs[-1] if self._runs else (0, -1, 0)
        continues = last[2] == 0 and last[1] - last[0] == self.original_size - at
        if size and not continues:
            self._runs.append((at, self.original_size, 0))
        self.original_size += size

    def _add_changed(self, at: int, size: int, original: int) -> None:
        if size:
            self._runs.append((at, self.original_size, original))
        self.original_size += original

    def forget(self, before: int) -> None:
        """Drop the view's bytes before an offset."""
        drop = before - self.start
        if drop > 0:
            self.data = self.data[drop:]
            self.start = before
            del self._runs[: self._run(before)]

    def original_start(self, at: int) -> int:
        """Where the character begins that produced the view's byte at `at`; the end at the end."""
        if at >= self.end:
            return self.original_size
        view, original, character = self._runs[self._run(at)]
        return original if character else original + at - view

    def original_end(self, at: int) -> int:
        """Where the character ends that produced the view's byte before `at`."""
        view, original, character = self._runs[self._run(at - 1)]
        return original + (character or at - view)

    def _run(self, at: int) -> int:
        """The run that covers an offset; the last one for what is yet to come."""
        return max(0, bisect_right(self._runs, at, key=_view_offset) - 1)


def _view_offset(run: tuple[int, int, int]) -> int:
    return run[0]
