"""Laws of the scanner: however a text is cut, the same is found, and the frontier tells the truth.

Each law has a planted bug below that it must notice.
"""

# ruff: noqa: RUF001  # look-alikes are what some of these texts are for

from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs
import pytest
from hypothesis import example, given

from kt.patterns.heads import head
from kt.patterns.matcher import compile_rules
from kt.patterns.parser import parse
from kt.patterns.scanner import Expression, Languages, Lens, Matcher, Scanner
from kt.policy import Finding, Rule, View
from tests.support.pattern_strategies import (
    HAND_PICKED,
    card_texts,
    cut,
    every_way_to_cut,
    is_live,
    reference_find,
    rule_sets,
    sizes,
    texts,
)

Pair = TypeVar("Pair", Matcher, Languages)

EVERY_RULE = tuple(HAND_PICKED.values())


def check_stream(scanner: Scanner, pieces: Sequence[str], whole: tuple[Finding, ...]) -> None:
    """The streaming law for one cutting."""
    boundaries = {len("".join(pieces)[:at].encode()) for at in range(len("".join(pieces)) + 1)}
    found: list[Finding] = []
    frontier = fed = 0
    for piece in pieces:
        new = scanner.feed(piece)
        fed += len(piece.encode())
        assert all(frontier <= finding.start < scanner.frontier for finding in new)
        assert frontier <= scanner.frontier <= fed
        assert scanner.frontier in boundaries
        found += new
        frontier = scanner.frontier
    last = scanner.finish()
    assert all(frontier <= finding.start for finding in last)
    assert scanner.frontier == fed
    assert (*found, *last) == whole


@given(rule_sets, texts, sizes)
def test_any_rules_find_the_same_in_any_cutting(
    rules: tuple[Rule, ...], text: str, piece_sizes: list[int]
) -> None:
    whole = reference_find(rules, text)
    check_stream(compile_rules(rules).scanner(), cut(text, piece_sizes), whole)


@given(texts, sizes)
@example("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", [7])
@example("aa@a.a, a@a", [1])
def test_everyday_rules_together_find_the_same_in_any_cutting(
    text: str, piece_sizes: list[int]
) -> None:
    whole = reference_find(EVERY_RULE, text)
    check_stream(compile_rules(EVERY_RULE).scanner(), cut(text, piece_sizes), whole)


@given(card_texts, sizes)
@example("12 4111 1111 1111 1111 11", [3])
def test_validated_rules_find_the_same_in_any_cutting(text: str, piece_sizes: list[int]) -> None:
    rules = (HAND_PICKED["card"], HAND_PICKED["phone"])
    whole = reference_find(rules, text)
    check_stream(compile_rules(rules).scanner(), cut(text, piece_sizes), whole)


@pytest.mark.parametrize("text", ["aa@a.a b", "a\u200ba\u0301 b", "ｱ㎏a\n1", "a-1@ab.c", "аa ﬁ b"])
def test_every_single_cutting_of_a_short_text_finds_the_same(text: str) -> None:
    rule_set = compile_rules(EVERY_RULE)
    whole = reference_find(EVERY_RULE, text)
    for pieces in every_way_to_cut(text):
        check_stream(rule_set.scanner(), pieces, whole)


@given(rule_sets, texts)
def test_findings_come_sorted_by_start_and_then_by_rule(rules: tuple[Rule, ...], text: str) -> None:
    found = compile_rules(rules).find(text)
    assert list(found) == sorted(found, key=lambda one: (one.start, one.rule, one.end))


def expected_frontier(rule: Rule, text: str, found: tuple[Finding, ...]) -> int:
    """The first live start of a rule after what it found, by the reference, in bytes."""
    node = parse(rule.pattern).node
    after = max((finding.end for finding in found), default=0)
    offsets = [len(text[:start].encode()) for start in range(len(text) + 1)]
    live = (
        offset
        for start, offset in enumerate(offsets[:-1])
        if offset >= after and is_live(node, text, start)
    )
    return next(live, offsets[-1])


@given(rule_sets, texts)
def test_the_frontier_holds_nothing_back_that_is_decided(
    rules: tuple[Rule, ...], text: str
) -> None:
    rule = attrs.evolve(rules[0], view=View.TEXT)
    scanner = compile_rules((rule,)).scanner()
    found = scanner.feed(text)
    assert scanner.frontier == expected_frontier(rule, text, found)


@given(texts)
def test_the_memory_of_a_scanner_is_what_it_holds_back(text: str) -> None:
    scanner = compile_rules(EVERY_RULE).scanner()
    for _ in range(30):
        scanner.feed(text + "\n! ")
    held = [len(track._text.data) for track in scanner._tracks]
    assert max(held) <= 1 + 3 * len((text + "\n! ").encode())


# ---- Linear time, counted instead of measured


@attrs.define
class Bill:
    """What the engine was asked to do."""

    calls: int = 0
    bytes: int = 0


@attrs.frozen
class Counting:
    """An expression that writes down what it costs."""

    inner: Expression
    bill: Bill

    def search(self, data: bytes, at: int) -> tuple[int, int] | None:
        self.bill.calls += 1
        self.bill.bytes += len(data) - at
        return self.inner.search(data, at)

    def match(self, data: bytes, at: int, end: int) -> int | None:
        self.bill.calls += 1
        self.bill.bytes += end - at
        return self.inner.match(data, at, end)


def counted(rules: tuple[Rule, ...]) -> tuple[Scanner, Bill]:
    bill = Bill()
    lenses = [wrapped(lens, bill) for lens in compile_rules(rules).lenses]
    return Scanner(tuple(lenses)), bill


def wrapped(lens: Lens, bill: Bill) -> Lens:
    return replaced(lens, lambda one: Counting(one, bill), lambda one: Counting(one, bill))


def replaced(
    lens: Lens,
    matches: Callable[[Expression], Expression],
    prefixes: Callable[[Expression], Expression],
) -> Lens:
    """A lens with other expressions, in the rules, in their heads and in the heads together."""

    def both(pair: Pair) -> Pair:
        return attrs.evolve(pair, matches=matches(pair.matches), prefixes=prefixes(pair.prefixes))

    matchers = [
        attrs.evolve(both(one), heads=None if one.heads is None else both(one.heads))
        for one in lens.matchers
    ]
    return attrs.evolve(
        lens,
        matchers=tuple(matchers),
        whole=tuple(map(both, lens.whole)),
        heads=tuple(map(both, lens.heads)),
    )


BOUNDED = tuple(HAND_PICKED[name] for name in ("phone", "card", "word", "cases", "token"))
NORMALIZED = tuple(rule for rule in EVERY_RULE if rule.view is View.NORMALIZED)


@pytest.mark.parametrize("has_gaps", [False, True])
def test_text_without_findings_costs_two_questions_per_piece(has_gaps: bool) -> None:
    rules = [one for one in NORMALIZED if (head(parse(one.pattern).node) is None) != has_gaps]
    scanner, bill = counted(tuple(rules))
    for _ in range(100):
        assert scanner.feed("? ! ? !") == ()
    assert bill.calls <= 200


@pytest.mark.parametrize("text", ["4 ", "a", "1a", "411 1111-", "a" * 40 + "b ", "x "])
def test_ten_times_the_text_costs_ten_times_the_work(text: str) -> None:
    short, long = ((text * 2000)[:size] for size in (2000, 20_000))
    assert cost_of(BOUNDED, long) <= 11 * cost_of(BOUNDED, short)


def cost_of(rules: tuple[Rule, ...], text: str) -> int:
    """The bytes that expressions were shown for one text in pieces of 20."""
    scanner, bill = counted(rules)
    for piece in cut(text, [20]):
        scanner.feed(piece)
    scanner.finish()
    return bill.bytes


# ---- Tests of the tests: bugs that the laws above must notice


@attrs.frozen
class FixedHold:
    """Holds the last eight bytes back, whatever the rules are."""

    def search(self, data: bytes, at: int) -> tuple[int, int] | None:
        return max(at, len(data) - 8), len(data)

    def match(self, data: bytes, at: int, end: int) -> int | None:
        return end


@attrs.frozen
class OnlyTheLongest:
    """Forgets that a shorter candidate may be valid where the longest is not."""

    inner: Expression

    def search(self, data: bytes, at: int) -> tuple[int, int] | None:
        return self.inner.search(data, at)

    def match(self, data: bytes, at: int, end: int) -> int | None:
        return None


@attrs.frozen
class WithoutContext:
    """Shows the engine nothing before the place where it starts to search."""

    inner: Expression

    def search(self, data: bytes, at: int) -> tuple[int, int] | None:
        found = self.inner.search(data[at:], 0)
        return None if found is None else (found[0] + at, found[1] + at)

    def match(self, data: bytes, at: int, end: int) -> int | None:
        return self.inner.match(data, at, end)


def unchanged(expression: Expression) -> Expression:
    return expression


def planted(
    rules: tuple[Rule, ...],
    matches: Callable[[Expression], Expression] = unchanged,
    prefixes: Callable[[Expression], Expression] = unchanged,
) -> Scanner:
    """A scanner whose expressions are replaced."""
    (lens,) = compile_rules(rules).lenses
    return Scanner((replaced(lens, matches, prefixes),))


def assert_noticed(scanner: Scanner, rules: tuple[Rule, ...], pieces: list[str]) -> None:
    whole = reference_find(rules, "".join(pieces))
    check_stream(compile_rules(rules).scanner(), pieces, whole)
    with pytest.raises(AssertionError):
        check_stream(scanner, pieces, whole)


def test_the_law_notices_a_fixed_hold_of_eight_bytes() -> None:
    rules = (HAND_PICKED["token"],)
    scanner = planted(rules, prefixes=lambda _: FixedHold())
    assert_noticed(scanner, rules, ["a" * 20, "1" * 20, "b"])


def test_the_law_notices_prefixes_without_the_growth_of_a_match() -> None:
    rules = (HAND_PICKED["unbounded"],)
    (lens,) = compile_rules((Rule(id="r", pattern="@"),)).lenses
    scanner = planted(rules, prefixes=lambda _: lens.matchers[0].prefixes)
    assert_noticed(scanner, rules, ["ab", "a@"])


def test_the_law_notices_a_validator_that_sees_only_the_longest_candidate() -> None:
    rules = (HAND_PICKED["card"],)
    scanner = planted(rules, matches=OnlyTheLongest)
    assert_noticed(scanner, rules, ["12 4111 1111 1111 1111 11"])


def test_the_law_notices_forgotten_context() -> None:
    rules = (HAND_PICKED["word"],)
    scanner = planted(rules, matches=WithoutContext)
    assert_noticed(scanner, rules, ["1a1", "?b", "aa "])


def test_the_law_notices_a_frontier_that_is_held_back_for_nothing() -> None:
    rule = Rule(id="r", pattern="ab", view=View.TEXT)
    scanner = planted((rule,), prefixes=lambda _: FixedHold())
    found = scanner.feed("1111")
    assert scanner.frontier != expected_frontier(rule, "1111", found)


def test_the_count_notices_work_that_grows_with_what_was_seen_before() -> None:
    unbounded = (Rule(id="r", pattern="a[a1]*b"),)
    assert cost_of(unbounded, "a" * 20_000) > 11 * cost_of(unbounded, "a" * 2000)
