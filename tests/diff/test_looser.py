"""What can pass now: found with a witness, proved to be nothing, or not found."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.diff import looser
from kt.diff.looser import Proof, newly_allowed
from kt.plan import Plan, Step
from kt.policy import Action, OnTrouble, Phase
from tests.support.plans import limit, plan, scan_step

PATTERNS = ("ab", "b+a", "a{2,3}", "ba|bb")
TEXTS = ("a", "ab", "ba", "bb", "aa", "abba", "aab", "bbaa", "b a", "xabx")
ACTIONS = (Action.BLOCK, Action.ESCALATE, Action.REDACT, Action.FLAG)


def step(
    action: Action,
    *patterns: str,
    order: int = 0,
    on_trouble: OnTrouble = OnTrouble.BLOCK,
    seconds: float = 2.0,
) -> Step:
    """A step of the input phase."""
    made = scan_step(f"p{order}", *patterns, action=action, phase=Phase.INPUT, order=order)
    return attrs.evolve(made, on_trouble=on_trouble, limit=limit(seconds))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of up to two policies."""
    steps = [
        step(
            draw(st.sampled_from(ACTIONS)),
            *draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique=True)),
            order=order,
        )
        for order in range(draw(st.integers(0, 2)))
    ]
    return plan(*steps)


def check_sound(old: Plan, new: Plan) -> None:
    """A proof is never refuted; a witness really shows it."""
    answer = newly_allowed(old, new, 100)
    sides = looser.Sides(looser._bound(old), looser._bound(new))
    if answer.proof is Proof.PROVED:
        assert not any(looser._compare(sides, Phase.INPUT, text) for text in TEXTS)
    for one in answer.looser:
        assert one.witness is None or looser._compare(sides, Phase.INPUT, one.witness)


@given(plans(), plans())
def test_no_proof_is_refuted_and_every_witness_holds(old: Plan, new: Plan) -> None:
    check_sound(old, new)


@given(plans())
def test_a_plan_allows_nothing_that_itself_refuses(the_plan: Plan) -> None:
    assert newly_allowed(the_plan, the_plan, 10).proof is Proof.PROVED


def test_the_law_finds_a_proof_that_ignores_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a rule that only records counts as one that blocks."""
    old, new = plan(step(Action.BLOCK, "ab")), plan(step(Action.FLAG, "ab"))
    assert newly_allowed(old, new, 10).proof is Proof.FOUND
    monkeypatch.setattr(looser, "_strength", lambda _: 3)
    with pytest.raises(AssertionError):
        check_sound(old, new)


def test_a_lost_rule_is_shown_with_a_text() -> None:
    answer = newly_allowed(plan(step(Action.BLOCK, "ab", "cd")), plan(step(Action.BLOCK, "ab")), 10)
    (found,) = answer.looser
    assert (found.policy, found.reason, found.witness) == ("p0", "rule p0.1", "cd")
    assert (found.old, found.new) == ("block", "allow")


def test_a_stronger_action_is_nothing_new() -> None:
    old, new = plan(step(Action.REDACT, "ab")), plan(step(Action.BLOCK, "ab", "cd"))
    assert newly_allowed(old, new, 10).proof is Proof.PROVED


def test_a_lost_rule_that_another_one_covers_is_not_claimed_to_be_proved() -> None:
    old, new = plan(step(Action.BLOCK, "aab")), plan(step(Action.BLOCK, "ab"))
    answer = newly_allowed(old, new, 40)
    assert (answer.proof, answer.looser, answer.tried) == (Proof.NOT_FOUND, (), 40)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (step(Action.BLOCK, "ab"), step(Action.BLOCK, "ab", on_trouble=OnTrouble.ALLOW)),
        (
            step(Action.BLOCK, "ab", on_trouble=OnTrouble.ALLOW, seconds=2.0),
            step(Action.BLOCK, "ab", on_trouble=OnTrouble.ALLOW, seconds=1.0),
        ),
    ],
)
def test_an_opened_gate_is_told_without_a_text(old: Step, new: Step) -> None:
    (found,) = newly_allowed(plan(old), plan(new), 10).looser
    assert found.witness is None
    assert newly_allowed(plan(new), plan(old), 10).proof is Proof.PROVED


def test_a_larger_limit_lets_larger_texts_in() -> None:
    (found,) = newly_allowed(plan(hold=10), plan(hold=11), 10).looser
    assert (found.policy, found.reason) == ("stream_hold", "stream_hold grew from 10 to 11 bytes")
