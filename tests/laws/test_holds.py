"""What EXPLAIN prints of holds is what the runtime holds: never more, and for some text as much."""

import unicodedata
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler import compile_source
from kt.exchange import Lane, Surface
from kt.explain.holds import ARGUMENTS, TOGETHER, Hold, first_text, holds
from kt.patterns.characters import Ranges
from kt.patterns.length import max_length
from kt.patterns.matcher import check_rule
from kt.patterns.parser import parse
from kt.patterns.prefixes import proper_prefixes
from kt.patterns.printing import to_re2
from kt.patterns.scanner import never
from kt.patterns.syntax import Assertion, Chars, Choice, Node, PatternError, Repeat, Sequence
from kt.patterns.views import INVISIBLE, view_of
from kt.plan import Plan, Scan, Step
from kt.policy import Action, Derived, Rule, View
from kt.runtime.fused import LaneState, StreamRules
from kt.runtime.window import Blocked, HoldExceeded, LaneWindow
from kt.source import Source
from tests.support.pattern_strategies import cut, plain_nodes, rules, sizes, texts
from tests.support.plans import plan, scan_step

WIDEST = 4
"""Bytes of a character as it came that can stand for one byte as the rules read it."""


def lane(whole: Plan, surface: Surface = Surface.CONTENT) -> LaneState:
    """A text of an answer that begins now."""
    hold = whole.sizes.stream_hold.value
    return StreamRules.of(whole.output).lane(Lane(0, surface), hold, never)


def fed(whole: Plan, pieces: list[str]) -> Iterator[tuple[str, str]]:
    """All text so far and what of it is held, after each piece."""
    state, text = lane(whole), ""
    for piece in pieces:
        text += piece
        try:
            state.feed(piece)
        except (Blocked, HoldExceeded):
            return
        data = text.encode()
        yield text, data[len(data) - state.held :].decode()


def hold_of(whole: Plan, what: str = TOGETHER) -> Hold:
    """One row of the explanation."""
    (found,) = [one for one in holds(whole) if one.what == what]
    return found


def visible(text: str) -> int:
    """The bytes of a text that some view may show."""
    shown = [one for one in text if one not in INVISIBLE and unicodedata.category(one) != "Mn"]
    return len("".join(shown).encode())


# ---- Never more


def check_never_more(whole: Plan, pieces: list[str]) -> None:
    """What is held is within what is printed, in bytes as read and in bytes as it came."""
    found = hold_of(whole)
    for text, held in fed(whole, pieces):
        assert len(held.encode()) <= whole.sizes.stream_hold.value
        if found.is_cap:
            continue
        if text.isascii():
            assert len(held) <= found.bytes
        assert visible(held) <= found.bytes * WIDEST


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A few policies with a few rules each, some with computed replacements."""
    steps: list[Step] = []
    for order in range(draw(st.integers(1, 3))):
        found = draw(st.lists(rules, min_size=1, max_size=3))
        made = [
            attrs.evolve(one, id=f"r{at}", derived=draw(st.sampled_from([None, *Derived])))
            for at, one in enumerate(found)
        ]
        action = draw(st.sampled_from([Action.REDACT, Action.REDACT, Action.BLOCK]))
        step = scan_step(f"p{order}", "a", order=order, action=action)
        assert isinstance(step.body, Scan)
        steps.append(attrs.evolve(step, body=attrs.evolve(step.body, rules=tuple(made))))
    return plan(*steps, hold=draw(st.sampled_from([5, 65536])))


def _is_in_the_dialect(whole: Plan) -> bool:
    try:
        for stage in whole.output:
            for step in stage.steps:
                assert isinstance(step.body, Scan)
                for rule in step.body.rules:
                    check_rule(rule)
    except PatternError:
        return False
    return True


@given(plans().filter(_is_in_the_dialect), texts, sizes)
def test_no_text_is_held_beyond_what_is_printed(
    whole: Plan, text: str, piece_sizes: list[int]
) -> None:
    check_never_more(whole, cut(text, piece_sizes))


def test_the_law_finds_a_runtime_that_holds_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the window releases one byte less than it may."""
    release = LaneWindow._release
    monkeypatch.setattr(
        LaneWindow, "_release", lambda self, frontier: release(self, max(0, frontier - 1))
    )
    with pytest.raises(AssertionError):
        check_never_more(plan(scan_step("a", "abc")), ["xxab"])


def test_invisible_characters_are_held_up_to_the_cap() -> None:
    """Why the numbers are of the text as read: these stand for nothing there."""
    whole = plan(scan_step("a", "abc"), hold=100)
    *_, (_, held) = fed(whole, ["a", *["\u200b"] * 50])
    assert hold_of(whole).bytes == 2
    assert len(held.encode()) == 100


# ---- As much


def longest_word(node: Node, view: View) -> str:
    """A word of the node with as many bytes as there can be; assertions are not looked at."""
    match node:
        case Chars(ranges):
            return widest(ranges, view)
        case Sequence(items):
            return "".join(longest_word(item, view) for item in items)
        case Choice(options):
            return max((longest_word(one, view) for one in options), key=_size, default="")
        case Repeat(inner, _, high):
            assert high is not None
            return longest_word(inner, view) * high
        case Assertion():
            return ""


def _size(text: str) -> int:
    return len(text.encode())


def widest(ranges: Ranges, view: View) -> str:
    """The member of a set with most bytes that its view leaves as it is; words are preferred."""
    last = [chr(high) for _, high in ranges]
    tried = [one for one in "a1A ж" if any(low <= ord(one) <= high for low, high in ranges)]
    tried += [one for _, high in ranges for one in map(chr, range(high, max(high - 300, 0), -1))]
    legal = [one for one in (*tried, *last) if not "\ud800" <= one <= "\udfff"]
    kept = [one for one in legal if view_of(view, one) == one]
    return max(kept, key=_size, default="")


def longest_held(whole: Plan, rule: Rule) -> int:
    """The most that an adversary makes wait for one rule."""
    text = longest_word(proper_prefixes(parse(rule.pattern).node), rule.view)
    return max((len(held.encode()) for _, held in fed(whole, [text])), default=0)


KINDS = {
    "pii-detector": "policies: {chain: [pii-detector: {stage: pre-response}]}",
    "pci": """\
policies: {chain: [pii-detector: {stage: pre-response}]}
policy: {pii-detector: {pci_mode: true, healthcare_mode: true}}
""",
    "prompt-injection": "policies: {chain: [prompt-injection: {stage: pre-response}]}",
    "safety-filter": """\
policies: {chain: [safety-filter: {stage: pre-response}]}
policy: {safety-filter: {mode: strict, block_if: [one term]}}
""",
    "dlp-filter": r"""
policies: {chain: [dlp-filter: {stage: pre-response}]}
policy: {dlp-filter: {detect_patterns: ['ACME-\d{4,8}'], sensitivity_level: restricted}}
""",
}


@pytest.mark.parametrize("kind", KINDS)
def test_some_text_makes_a_policy_hold_what_is_printed(kind: str) -> None:
    whole = compile_source(Source("kt.yaml", KINDS[kind])).plan
    ((step,),) = (stage.steps for stage in whole.output)
    assert isinstance(step.body, Scan)
    found = hold_of(whole, step.name)
    assert not found.is_cap
    (rule,) = (one for one in step.body.rules if one.id == found.because)
    assert longest_held(whole, rule) == found.bytes


@given(plain_nodes, st.sampled_from([View.TEXT, View.NORMALIZED]))
def test_some_text_makes_a_rule_without_assertions_hold_what_is_printed(
    node: Node, view: View
) -> None:
    rule = Rule(id="r", pattern=to_re2(node), view=view)
    try:
        check_rule(rule)
    except PatternError:
        return
    step = scan_step("p", "a")
    assert isinstance(step.body, Scan)
    whole = plan(attrs.evolve(step, body=attrs.evolve(step.body, rules=(rule,))))
    found = hold_of(whole)
    if not found.is_cap and max_length(node) is not None:
        assert longest_held(whole, rule) == found.bytes


def test_a_computed_replacement_reaches_its_hold() -> None:
    step = scan_step("a", r"\d{4}", "4x{10}")
    assert isinstance(step.body, Scan)
    made = tuple(attrs.evolve(one, derived=Derived.PARTIAL) for one in step.body.rules)
    whole = plan(attrs.evolve(step, body=attrs.evolve(step.body, rules=made)))
    held = [len(held) for _, held in fed(whole, list("1234xxxxxxxxxx"))]
    assert max(held) == hold_of(whole).bytes == 13


@pytest.mark.parametrize("pattern", ["ab*c", "a{200}b"])
def test_what_is_bounded_by_the_cap_reaches_it(pattern: str) -> None:
    whole = plan(scan_step("a", pattern), hold=100)
    assert hold_of(whole).is_cap
    held = [
        len(held) for _, held in fed(whole, ["a", *"b" * 200] if "*" in pattern else ["a"] * 200)
    ]
    assert max(held) == 100


def test_tool_arguments_are_held_up_to_the_cap() -> None:
    whole = plan(scan_step("a", "abc"), hold=100)
    state = lane(whole, Surface.TOOL_ARGUMENTS)
    assert hold_of(whole, ARGUMENTS).bytes == 100
    state.feed("x" * 100)
    assert state.held == 100
    with pytest.raises(HoldExceeded):
        state.feed("x")


# ---- The first text


@pytest.mark.parametrize("length", [1, 2, 3, 12])
def test_the_first_text_waits_for_no_more_than_is_printed(length: int) -> None:
    """An adversary that begins a match and breaks it off at the last byte."""
    whole = plan(scan_step("a", "a" * length))
    state = lane(whole)
    shown = [state.feed(one) for one in "a" * (length - 1) + "b"]
    assert [bool(one) for one in shown] == [False] * (length - 1) + [True]
    assert length == hold_of(whole).bytes + 1
    said = first_text(whole, holds(whole))
    assert said.startswith("nothing" if length == 1 else f"at most {length}B ")
