"""Patterns, texts and cuttings for the laws of kt/patterns, and the reference that judges them.

The reference walks the syntax tree and keeps sets of ends: no engine, no prefixes, no cleverness.
It shares the parser's tree with the code under test, and nothing else.
"""

# ruff: noqa: RUF001  # look-alikes are what some of these texts are for

import unicodedata

import attrs
from hypothesis import strategies as st

from kt.patterns.characters import contains
from kt.patterns.confusables import PLAIN
from kt.patterns.length import is_nullable
from kt.patterns.parser import parse
from kt.patterns.printing import to_re2
from kt.patterns.syntax import (
    Assertion,
    Chars,
    Choice,
    Node,
    Repeat,
    Sequence,
    choice,
    repeat,
    sequence,
)
from kt.patterns.validators import VALIDATORS
from kt.patterns.views import INVISIBLE
from kt.policy import Finding, Rule, View

ALPHABET = "aab1 @-\né４ａ㎏а\u200b\u0301\ufb01"
"""Few characters, so that texts match often; with fullwidth, expanding and removed ones."""


# ---- The reference


@attrs.define
class Walk:
    """One text under one tree."""

    text: str
    is_asking: bool = False
    """Whether an answer depended on what comes after the text."""

    def ends(self, node: Node, at: int) -> set[int]:
        """Where matches that start at `at` end."""
        match node:
            case Chars(ranges):
                self.is_asking |= at == len(self.text)
                matches = at < len(self.text) and contains(ranges, ord(self.text[at]))
                return {at + 1} if matches else set()
            case Sequence(items):
                found = {at}
                for item in items:
                    found = self._after(item, found)
                return found
            case Choice(options):
                return {end for option in options for end in self.ends(option, at)}
            case Repeat(inner, low, high):
                return self._repeated(inner, low, high, at)
            case Assertion():
                return {at} if self._holds(node, at) else set()

    def _after(self, node: Node, starts: set[int]) -> set[int]:
        return {end for start in starts for end in self.ends(node, start)}

    def _repeated(self, inner: Node, low: int, high: int | None, at: int) -> set[int]:
        current, found = {at}, set[int]()
        for count in range(high if high is not None else low + len(self.text) + 1):
            found |= current if count >= low else set()
            current = self._after(inner, current)
        return found | current

    def _holds(self, node: Assertion, at: int) -> bool:
        if node is Assertion.TEXT_START:
            return at == 0
        self.is_asking |= at == len(self.text)
        if node is Assertion.TEXT_END:
            return at == len(self.text)
        is_boundary = self._is_word(at - 1) != self._is_word(at)
        return is_boundary is (node is Assertion.WORD_BOUNDARY)

    def _is_word(self, at: int) -> bool:
        inside = 0 <= at < len(self.text)
        return (
            inside and self.text[at].isascii() and (self.text[at].isalnum() or self.text[at] == "_")
        )


def is_live(node: Node, text: str, start: int) -> bool:
    """Whether a match that starts there may still begin, grow or be confirmed."""
    walk = Walk(text)
    walk.ends(node, start)
    return walk.is_asking


def shown(view: View, character: str) -> str:
    """What a view makes of one character."""
    if view is View.TEXT:
        return character
    if view is View.NORMALIZED:
        return "".join(c for c in unicodedata.normalize("NFKC", character) if c not in INVISIBLE)
    kept = [
        PLAIN.get(c, c)
        for c in unicodedata.normalize("NFKD", character)
        if c not in INVISIBLE and unicodedata.category(c) != "Mn"
    ]
    return unicodedata.normalize("NFC", "".join(kept))


def reference_find(rules: tuple[Rule, ...], text: str) -> tuple[Finding, ...]:
    """What the rules find in a whole text, by the definition."""
    found = [
        finding
        for index, rule in enumerate(rules)
        for finding in _reference_rule(index, rule, text)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.rule, one.end)))


def _reference_rule(index: int, rule: Rule, text: str) -> list[Finding]:
    places: list[tuple[int, int]] = []
    view = ""
    offset = 0
    for character in text:
        size = len(character.encode())
        mapped = shown(rule.view, character)
        view += mapped
        places += [(offset, offset + size)] * len(mapped)
        offset += size
    is_valid = VALIDATORS[rule.validator] if rule.validator else None
    node = parse(rule.pattern).node
    found, at = [], 0
    while at < len(view):
        ends = sorted(Walk(view).ends(node, at), reverse=True)
        valid = [end for end in ends if is_valid is None or is_valid(view[at:end].encode())]
        if valid:
            found.append(Finding(index, places[at][0], places[valid[0] - 1][1]))
        at = valid[0] if valid else at + 1
    return found


# ---- Strategies


def _set(*ranges: tuple[str, str]) -> Chars:
    return Chars(tuple((ord(low), ord(high)) for low, high in ranges))


SETS = (
    *(_set((one, one)) for one in "ab1 @é"),
    _set(("a", "b")),
    _set(("0", "9")),
    _set(("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
    _set(("\x00", "\t"), ("\x0b", "\U0010ffff")),
    _set(("\x00", "`"), ("b", "\U0010ffff")),
)

characters = st.sampled_from(SETS)
assertions = st.sampled_from(list(Assertion))


def nodes(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Small trees over the given leaves."""
    return st.recursive(leaves, _larger, max_leaves=8)


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    bounds = st.sampled_from(((0, None), (1, None), (0, 1), (2, 2), (1, 3), (2, None)))
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(sequence),
        st.lists(inner, min_size=2, max_size=3).map(choice),
        st.tuples(inner, bounds).map(lambda pair: repeat(pair[0], *pair[1])),
    )


plain_nodes = nodes(characters)
any_nodes = nodes(st.one_of(characters, characters, characters, assertions))


def _demanding(node: Node, one: Chars) -> Node:
    return sequence([node, one]) if is_nullable(node) else node


rules = st.builds(
    lambda node, one, view: Rule(id="r", pattern=to_re2(_demanding(node, one)), view=view),
    any_nodes,
    characters,
    st.sampled_from((View.TEXT, View.NORMALIZED, View.NORMALIZED, View.FOLDED)),
)
rule_sets = st.lists(rules, min_size=1, max_size=3).map(tuple)

texts = st.text(ALPHABET, max_size=14)
card_texts = st.lists(
    st.sampled_from(("4111 1111 1111 1111", "4111", "1111", "12", " ", "-", "x", "５", "\u200b")),
    max_size=9,
).map("".join)
sizes = st.lists(st.integers(0, 5), min_size=1, max_size=8).filter(any)


def cut(text: str, piece_sizes: list[int]) -> list[str]:
    """The text in pieces of these sizes, over and over; empty ones are kept."""
    pieces = []
    at = turn = 0
    while at < len(text):
        size = piece_sizes[turn % len(piece_sizes)]
        pieces.append(text[at : at + size])
        at += size
        turn += 1
    return pieces


def every_way_to_cut(text: str) -> list[list[str]]:
    """Every way to cut a short text into pieces that are not empty."""
    ways: list[list[str]] = [[text[:1]]]
    for character in text[1:]:
        ways = [
            grown for way in ways for grown in ([*way[:-1], way[-1] + character], [*way, character])
        ]
    return ways


HAND_PICKED = {
    "email": Rule(id="email", pattern=r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "phone": Rule(id="phone", pattern=r"(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\b"),
    "card": Rule(id="card", pattern=r"\d(?:[ -]?\d){12,18}", validator="luhn"),
    "word": Rule(id="word", pattern=r"\ba+\b"),
    "not_word": Rule(id="not_word", pattern=r"a\B."),
    "start": Rule(id="start", pattern=r"^a+|b$"),
    "whole": Rule(id="whole", pattern=r"^[ab]+$"),
    "cases": Rule(id="cases", pattern=r"(?i)aB|É"),
    "unbounded": Rule(id="unbounded", pattern=r"\w+@"),
    "token": Rule(id="token", pattern=r"(?:a|1){40}b?"),
    "folded": Rule(id="folded", pattern=r"aa", view=View.FOLDED),
    "raw": Rule(id="raw", pattern=r"ａ|\x{200b}a", view=View.TEXT),
    "expanded": Rule(id="expanded", pattern=r"g|fi"),
}
