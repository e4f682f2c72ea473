"""Holds: what the pattern says, the cap where it says nothing, what the first text waits for."""

import attrs
import pytest

from kt.explain.holds import ARGUMENTS, TOGETHER, first_text, holds
from kt.plan import Plan, Scan, Step
from kt.policy import Action, Derived, Phase
from tests.support.plans import plan, scan_step


def sizes(whole: Plan) -> dict[str, tuple[int, bool]]:
    """What is held, by whom, and whether it is the cap."""
    return {one.what: (one.bytes, one.is_cap) for one in holds(whole)}


def waits(whole: Plan) -> str:
    """What the first text waits for."""
    return first_text(whole, holds(whole))


def derived(step: Step) -> Step:
    """The same step, each replacement computed from what it replaces."""
    assert isinstance(step.body, Scan)
    rules = tuple(attrs.evolve(one, derived=Derived.PARTIAL) for one in step.body.rules)
    return attrs.evolve(step, body=attrs.evolve(step.body, rules=rules))


def test_each_policy_and_all_together_have_their_own() -> None:
    whole = plan(scan_step("a", "abc", "x"), scan_step("b", "a{10}", order=1))
    assert sizes(whole) == {
        "a": (2, False),
        "b": (9, False),
        TOGETHER: (9, False),
        ARGUMENTS: (65536, True),
    }


def test_a_rule_without_a_longest_match_holds_up_to_the_cap_and_is_named() -> None:
    whole = plan(scan_step("a", "abc"), scan_step("b", "ab+c", order=1), hold=100)
    assert sizes(whole)["a"] == (2, False)
    assert sizes(whole)["b"] == sizes(whole)[TOGETHER] == (100, True)
    (found,) = [one for one in holds(whole) if one.what == "b"]
    assert found.because == "b.0 has no longest match; cap: test"
    assert found.shown == "up to the cap 100B"


def test_what_would_hold_more_than_the_cap_holds_the_cap() -> None:
    (found, *_) = holds(plan(scan_step("a", "b{200}"), hold=100))
    assert (found.bytes, found.is_cap) == (100, True)
    assert found.because == "a.0 would hold 199B; cap: test"
    assert sizes(plan(scan_step("a", "b{101}"), hold=100))["a"] == (100, False)


def test_a_computed_replacement_waits_for_the_others() -> None:
    alone = derived(scan_step("a", r"\d{4}"))
    assert sizes(plan(alone))["a"] == (3, False)
    whole = plan(alone, scan_step("b", "4x{10}", order=1))
    assert sizes(whole)["a"] == (3, False)
    assert sizes(whole)[TOGETHER] == (3 + 10, False)
    with_itself = plan(derived(scan_step("a", r"\d{4}", r"4x{10}")))
    assert sizes(with_itself)["a"] == (10 + 3, False)
    unbounded = plan(derived(scan_step("a", "ab", "cd", "e+")))
    assert sizes(unbounded)["a"] == (65536, True)


@pytest.mark.parametrize("action", [Action.FLAG, Action.WARN, Action.LOG])
def test_what_only_records_holds_nothing(action: Action) -> None:
    whole = plan(scan_step("a", "abc", action=action))
    assert holds(whole) == ()
    assert waits(whole).startswith("nothing")


def test_what_reads_requests_holds_nothing_of_answers() -> None:
    assert holds(plan(scan_step("a", "abc", phase=Phase.INPUT))) == ()


def test_the_first_text_waits_for_one_byte_more_than_can_be_held() -> None:
    assert waits(plan(scan_step("a", "a"))) == "nothing: text goes on as it comes"
    assert waits(plan(scan_step("a", "abc"))).startswith("at most 3B of text")
    assert waits(plan(scan_step("a", "a+b"))).startswith("the rules to be sure")
    whole = plan(scan_step("a", "abc"), keep_answer_whole=True)
    assert waits(whole).startswith("the whole answer")
