"""Entries of word lists as rules: a literal term at word boundaries, or a pattern, in any case.

In: what a config lists. Out: rules of the dialect, and problems of entries. A fuzzy term is a
pattern too: every word within a Levenshtein distance of its own, of a size that is nearly linear
in the word. Never: a term that another spelling of its letters escapes (the view is folded), a
program without a bound.
"""

import re
from collections.abc import Iterator

import attrs

from kt.patterns.views import view_of
from kt.policies.problem import Problem, bad_pattern, not_enforced, out_of_range
from kt.policy import Rule, View

MOST_ENTRIES = 1000
"""Of one list: what a gateway compiles in about a second."""

FAR = 2
"""The largest distance that is matched; the program for more is too large for a gateway."""

MOST_FUZZY_WORDS = (MOST_ENTRIES, 100, 25)
"""Of one list, by distance: fuzzy words cost far more than plain ones."""

LONGEST_FUZZY = 64
"""Letters; a longer word is matched exactly."""

_OF_PATTERNS = frozenset(r"\[](){}*+?^$|")
_BETWEEN = r"[\s_-]{1,4}"
"""What may stand between the words of a term, however its author wrote it."""
_BETWEEN_FUZZY = r"[\s.,;:'\x22/_-]{1,4}"
_BREAK = re.compile(r"[\s_-]+")
_WORD = re.compile(r"[^\W_]+")


@attrs.frozen(kw_only=True)
class TermList:
    """One list of a config, and how it is matched."""

    field: str
    """Its key, for problems and for the ids of its rules."""
    entries: tuple[str, ...]
    distance: int = 0
    left_out: frozenset[int] = frozenset()
    """The places of entries that are no terms."""

    def rules(self, family: str, label: str) -> Iterator[Rule]:
        """One rule per entry, named by family, list and place."""
        for index, entry in self._terms():
            yield Rule(
                id=f"{family}.{self.field}_{index + 1}",
                pattern=pattern_of(entry, self.distance),
                view=View.NORMALIZED if is_pattern(entry) else View.FOLDED,
                label=label,
            )

    def problems(self) -> Iterator[Problem]:
        """Report entries outside the dialect, and a list that is too long."""
        size = len(self.entries)
        if size > MOST_ENTRIES:
            yield self._too_long(size, "entries", MOST_ENTRIES)
            return
        literal = [one for _, one in self._terms() if not is_pattern(one)]
        words = [word for one in literal for word in _WORD.findall(one)]
        most = MOST_FUZZY_WORDS[min(self.distance, FAR)]
        if self.distance and len(words) > most:
            yield self._too_long(len(words), "words to match fuzzily", most)
            return
        for index, entry in self._terms():
            yield from _entry_problems(f"{self.field}[{index}]", entry, self.distance)

    def _terms(self) -> Iterator[tuple[int, str]]:
        return (one for one in enumerate(self.entries) if one[0] not in self.left_out)

    def _too_long(self, size: int, what: str, most: int) -> Problem:
        message = f"'{self.field}' has {size} {what}, more than {most}"
        hint = "write what they have in common as a pattern, or shorten the list"
        return Problem(field=self.field, code_name="out_of_range", message=message, hint=hint)


def fuzzy_distance(is_fuzzy: bool, max_distance: int) -> int:
    """How many characters of a word may differ, as far as that is matched."""
    return min(max_distance, FAR) if is_fuzzy else 0


def distance_problems(is_fuzzy: bool, max_distance: int) -> tuple[Problem, ...]:
    """Report a distance that is no distance, or larger than what is matched."""
    too_far = max_distance if is_fuzzy and max_distance > FAR else None
    return (
        *out_of_range("max_distance", max_distance, 0, 8),
        *not_enforced("max_distance", too_far, f"terms are matched within a distance of {FAR}"),
    )


def _entry_problems(field: str, entry: str, distance: int) -> tuple[Problem, ...]:
    as_run = pattern_of(entry, distance)
    if is_pattern(entry):
        return pattern_problems(field, entry, as_run)
    return tuple(_as_a_whole(field, entry, as_run))


def pattern_problems(field: str, written: str, as_run: str) -> tuple[Problem, ...]:
    """Report on a pattern as written; then, as a whole, on it as it will run."""
    found = bad_pattern(field, written)
    if any(not problem.is_warning for problem in found):
        return found
    return (*found, *_as_a_whole(field, written, as_run))


def _as_a_whole(field: str, written: str, as_run: str) -> Iterator[Problem]:
    """What is wrong with what runs has no place in what was written but all of it."""
    for problem in bad_pattern(field, as_run):
        if not problem.is_warning:
            yield attrs.evolve(problem, start=0, end=len(written))


def is_pattern(entry: str) -> bool:
    """Whether an entry is a pattern: it has a character that only patterns need."""
    return not _OF_PATTERNS.isdisjoint(entry)


def pattern_of(entry: str, distance: int = 0) -> str:
    """The pattern that an entry of a word list stands for."""
    return in_any_case(entry) if is_pattern(entry) else f"(?i:{_term(entry, distance)})"


def in_any_case(pattern: str) -> str:
    """The pattern without regard to case, unless it sets flags itself at its start."""
    return pattern if pattern.startswith("(?") and _sets_flags(pattern) else f"(?i:{pattern})"


def _sets_flags(pattern: str) -> bool:
    flags, closing, _ = pattern[2:].partition(")")
    return bool(closing) and flags.isalpha()


def _term(term: str, distance: int) -> str:
    written = view_of(View.NORMALIZED, term)
    words = _WORD.findall(written)
    if distance and words:
        return _BETWEEN_FUZZY.join(_fuzzy_word(word, distance) for word in words)
    parts = [part for part in _BREAK.split(written) if part]
    if not parts:
        return ""
    return _edge(parts[0][0]) + _BETWEEN.join(map(_literal, parts)) + _edge(parts[-1][-1])


def _edge(character: str) -> str:
    """A word boundary, where the dialect knows one: beside an ASCII letter or digit."""
    forms = "".join(_forms(character))
    return r"\b" if forms.isascii() and forms.isalnum() else ""


def _fuzzy_word(word: str, distance: int) -> str:
    """Every word within a distance of this one, but not of so short a one that most are."""
    plain = view_of(View.FOLDED, word)
    if len(plain) > LONGEST_FUZZY or not (plain.isascii() and plain.isalnum()):
        return _edge(word[0]) + _literal(word) + _edge(word[-1])
    return rf"\b{_within(plain, min(distance, (len(plain) - 1) // 2))}\b"


def _within(word: str, distance: int) -> str:
    """The Levenshtein neighborhood: the errors are shared out between the two halves.

    Each half is written once per share, so the size grows with n (log n)^distance.
    """
    if distance == 0:
        return word
    if len(word) == 1:
        kept = (f"{_any(before)}{word}{_any(distance - before)}" for before in range(distance + 1))
        return f"(?:{_any(distance)}|{'|'.join(kept)})"
    half = len(word) // 2
    shares = (
        _within(word[:half], errors) + _within(word[half:], distance - errors)
        for errors in range(distance + 1)
    )
    return f"(?:{'|'.join(shares)})"


def _any(most: int) -> str:
    return rf"\w{{0,{most}}}" if most else ""


def _literal(text: str) -> str:
    return "".join(map(_character, text))


def _character(character: str) -> str:
    forms = [_escaped(form) for form in _forms(character)]
    return forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"


def _forms(character: str) -> tuple[str, ...]:
    """What a character looks like on the folded view, in both cases.

    They may differ by more than the case: the capital of a letter may look like a Latin one where
    the small letter does not.
    """
    cases = (character, character.lower(), character.upper())
    forms = (view_of(View.FOLDED, case) for case in cases)
    return tuple(dict.fromkeys(form.lower() if form.isascii() else form for form in forms))


def _escaped(text: str) -> str:
    return "".join(
        one if one.isalnum() or not one.isascii() else f"\\x{ord(one):02x}" for one in text
    )
