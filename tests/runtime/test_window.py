"""One lane's window against the naive redaction, and its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.patterns.matcher import compile_rules
from kt.plan import Scan
from kt.policy import Action, Derived, Rule
from kt.runtime.window import Blocked, HoldExceeded, LaneWindow, Owned
from tests.support import naive
from tests.support.plans import scan_step

PATTERNS = (r"[ab]{1,4}@[ab]{1,3}", r"\bab+\b", r"b[a@]{2,5}", r"a@\w*b", r"^a", r"b$", r"é+b")


def window(*rules: Rule, action: Action = Action.REDACT, cap: int = 10**6) -> LaneWindow:
    """A window over the rules of one policy."""
    scan = Scan(rules=rules, action=action, message="no")
    step = scan_step("p", action=action)
    owners = tuple(Owned(step, scan, at) for at in range(len(rules)))
    return LaneWindow(compile_rules(rules), owners, cap)


@st.composite
def rule_sets(draw: st.DrawFn) -> tuple[Rule, ...]:
    """Rules that overlap each other often, with every kind of replacement."""
    patterns = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4, unique=True))
    return tuple(
        Rule(
            id=str(at),
            pattern=pattern,
            label=f"[{at}]",
            derived=draw(st.sampled_from([None, Derived.PARTIAL, Derived.SAME_LENGTH])),
            severity=draw(st.integers(0, 1)),
        )
        for at, pattern in enumerate(patterns)
    )


@given(rule_sets(), st.lists(st.text(alphabet="ab@ é", max_size=6), max_size=12))
def test_pieces_come_out_as_the_whole_text_redacted(
    rules: tuple[Rule, ...], pieces: list[str]
) -> None:
    lane = window(*rules)
    shown = "".join([*(lane.feed(piece) for piece in pieces), lane.finish()])
    policy = naive.NaivePolicy(name="p", rules=rules, action=Action.REDACT)
    assert shown == naive.redact([policy], "".join(pieces))
    assert lane.held == 0


@given(rule_sets(), st.lists(st.text(alphabet="ab@ é", max_size=6), max_size=12))
def test_what_was_shown_is_never_more_than_the_whole_text_allows(
    rules: tuple[Rule, ...], pieces: list[str]
) -> None:
    lane = window(*rules)
    shown = ""
    policy = naive.NaivePolicy(name="p", rules=rules, action=Action.REDACT)
    whole = naive.redact([policy], "".join(pieces))
    for piece in pieces:
        shown += lane.feed(piece)
        assert whole.startswith(shown)


def test_text_that_nothing_can_match_is_released_at_once() -> None:
    lane = window(Rule(id="r", pattern=r"\d{4}"))
    assert lane.feed("hello, world") == "hello, world"
    assert lane.held == 0


def test_a_label_is_sent_before_an_overlapping_span_has_ended() -> None:
    rules = (Rule(id="0", pattern="ab", label="[AB]"), Rule(id="1", pattern=r"b\d+;", label="[1]"))
    lane = window(*rules)
    assert lane.feed("xab") == "x[AB]"
    assert lane.feed("12") == ""
    assert lane.feed("3; y") == " y"


def test_a_block_ends_the_lane() -> None:
    lane = window(Rule(id="r", pattern="secret"), action=Action.BLOCK)
    assert lane.feed("a sec") == "a "
    with pytest.raises(Blocked):
        lane.feed("ret plan")


def test_a_hold_above_the_cap_is_refused() -> None:
    lane = window(Rule(id="r", pattern=r"a\w+;"), cap=5)
    assert lane.feed("aaaaa") == ""
    with pytest.raises(HoldExceeded):
        lane.feed("a")
