"""The output phase fused: which rules hold text back, and one verdict per step at the end."""

import itertools
from types import MappingProxyType

import pytest

from kt.exchange import Lane, Surface
from kt.filters.facts import FilterFacts
from kt.patterns import matcher
from kt.patterns.scanner import OutOfTime
from kt.plan import Stage, Step
from kt.policy import ALLOW, Action, OnTrouble, Outcome
from kt.runtime.conditions import NO_FACTS
from kt.runtime.fused import ArgumentsLane, GrowingLane, LaneState, Late, StreamRules
from kt.runtime.window import Blocked, HoldExceeded
from tests.support.plans import scan_step

CONTENT = Lane(0, Surface.CONTENT)
ARGUMENTS = Lane(0, Surface.TOOL_ARGUMENTS)
REDACT = scan_step("redact", "secret", order=1)
BLOCK = scan_step("block", "forbidden", action=Action.BLOCK, order=0)
FLAG = scan_step("flag", "odd", action=Action.FLAG, order=2)


def rules_of(*steps: Step) -> StreamRules:
    """The rules of a phase."""
    return StreamRules.of(tuple(Stage(steps=(step,)) for step in steps))


def lane_of(rules: StreamRules, lane: Lane = CONTENT, *, hold: int = 1000) -> LaneState:
    """A lane with all the time in the world."""
    return rules.lane(lane, hold, lambda: False)


def test_rules_that_act_and_rules_that_record_are_scanned_apart() -> None:
    rules = rules_of(REDACT, FLAG, BLOCK)
    assert [one.step.name for one in rules.acting] == ["block", "redact"]
    assert [one.step.name for one in rules.recording] == ["flag"]
    assert rules.acts
    assert not rules_of(FLAG).acts


def test_rules_that_only_record_hold_nothing_back() -> None:
    lane = lane_of(rules_of(FLAG))
    assert (lane.feed("o"), lane.held) == ("o", 0)
    assert lane.feed("dd ") == "dd "
    assert lane.finish() == ""
    assert [finding.start for _, finding in lane.found] == [0]


def test_arguments_are_collected_only_where_rules_act() -> None:
    assert isinstance(lane_of(rules_of(REDACT), ARGUMENTS), ArgumentsLane)
    assert isinstance(lane_of(rules_of(FLAG), ARGUMENTS), GrowingLane)


def test_arguments_are_judged_decoded_and_edited_in_place() -> None:
    lane = lane_of(rules_of(REDACT), ARGUMENTS)
    assert (lane.feed('{"a" : "se\\u0063'), lane.feed('ret", "secret": 1.0}')) == ("", "")
    assert lane.held > 0
    assert lane.finish() == '{"a" : "[REDACT]", "[REDACT]": 1.0}'
    assert (lane.finish(), lane.held) == ("", 0)


def test_arguments_that_are_no_json_are_judged_raw() -> None:
    lane = lane_of(rules_of(REDACT), ARGUMENTS)
    lane.feed('{"a": "sec')
    lane.feed("ret")
    assert lane.finish() == '{"a": "[REDACT]'


@pytest.mark.parametrize("lane", [CONTENT, ARGUMENTS])
def test_a_block_ends_a_lane_of_either_sort(lane: Lane) -> None:
    state = lane_of(rules_of(REDACT, BLOCK), lane)
    with pytest.raises(Blocked) as stop:
        _ = state.feed("a secret is forbidden. ") + state.finish()
    assert stop.value.step is BLOCK


@pytest.mark.parametrize("lane", [CONTENT, ARGUMENTS])
def test_a_hold_of_either_sort_is_bounded(lane: Lane) -> None:
    state = lane_of(rules_of(scan_step("p", "é+!")), lane, hold=10)
    assert state.feed("ééééé") == ""
    with pytest.raises(HoldExceeded):
        state.feed("é")


def test_each_step_has_a_verdict_over_all_its_findings() -> None:
    rules = rules_of(REDACT, BLOCK, FLAG)
    lane = lane_of(rules)
    assert lane.feed("odd secret secret. ") + lane.finish() == "odd [REDACT] [REDACT]. "
    redact, block, flag = rules.verdicts(lane.found, None)
    assert block == ALLOW
    assert (redact.outcome, redact.spans) == (Outcome.REDACT, (6, 6))
    assert (flag.outcome, flag.rule) == (Outcome.FLAG, "flag.0")


def test_what_stopped_an_answer_is_the_verdict_of_its_step() -> None:
    rules = rules_of(REDACT, BLOCK)
    lane = lane_of(rules)
    with pytest.raises(Blocked) as stop:
        lane.feed("forbidden. ")
    verdicts = rules.verdicts([], stop.value)
    assert [one.outcome for one in verdicts] == [Outcome.ALLOW, Outcome.BLOCK]
    assert [one.outcome for one in rules.verdicts([], Late(REDACT))] == [
        Outcome.LATE,
        Outcome.ALLOW,
    ]


def test_without_time_the_gate_closes_unless_every_policy_leaves_it_open() -> None:
    with pytest.raises(Late) as late:
        rules_of(REDACT, BLOCK).demand_open()
    assert late.value.step is BLOCK
    rules_of(scan_step("p", "x", on_trouble=OnTrouble.ALLOW)).demand_open()


def test_a_whole_text_is_searched_within_its_time() -> None:
    rules = rules_of(REDACT, FLAG)
    found = rules.find("odd secret", lambda: False)
    assert [(owner.step.name, finding.start) for owner, finding in found] == [
        ("redact", 4),
        ("flag", 0),
    ]
    with pytest.raises(OutOfTime):
        rules.find("odd secret", lambda: True)


# ---- Steps that are for some requests only

PROD = FilterFacts(MappingProxyType({'header["x-env"]': "prod"}))
WHEN_PROD = 'header["x-env"] == "prod"'
CONDITIONAL = (
    scan_step("redact", "secret", order=1),
    scan_step("block", "forbidden", action=Action.BLOCK, order=0, when=WHEN_PROD),
    scan_step("flag", "odd", action=Action.FLAG, order=2, when=WHEN_PROD),
)


def test_only_steps_that_are_for_the_request_are_looked_for() -> None:
    rules = rules_of(*CONDITIONAL).for_request(NO_FACTS)
    assert [step.name for step in rules.steps] == ["redact"]
    lane = lane_of(rules)
    assert lane.feed("odd secret forbidden ") + lane.finish() == "odd [REDACT] forbidden "
    assert [verdict.outcome for verdict in rules.verdicts(lane.found, None)] == [Outcome.REDACT]


def test_all_of_them_are_looked_for_where_all_are_for_it() -> None:
    rules = rules_of(*CONDITIONAL).for_request(PROD)
    assert [step.name for step in rules.steps] == ["redact", "block", "flag"]
    lane = lane_of(rules)
    with pytest.raises(Blocked) as stop:
        lane.feed("odd secret forbidden ")
    assert stop.value.step.name == "block"
    assert {owner.step.name for owner, _ in lane.found} >= {"redact", "flag"}


def test_a_phase_that_is_for_no_request_of_this_kind_acts_on_nothing() -> None:
    rules = rules_of(*CONDITIONAL[1:])
    assert rules.acts
    there = rules.for_request(NO_FACTS)
    assert not there.acts
    assert isinstance(lane_of(there, ARGUMENTS), GrowingLane)
    assert (lane_of(there).feed("forbid"), lane_of(there).held) == ("forbid", 0)
    there.demand_open()


def test_of_two_that_block_at_one_place_the_first_declared_is_named_however_compiled() -> None:
    first = scan_step("first", "ab", action=Action.BLOCK, order=0, when=WHEN_PROD)
    second = scan_step("second", "a", action=Action.BLOCK, order=1)
    third = scan_step("third", "abc", action=Action.BLOCK, order=2, when=WHEN_PROD)
    for steps in itertools.permutations((first, second, third)):
        with pytest.raises(Blocked) as stop:
            lane_of(rules_of(*steps).for_request(PROD)).feed("abc ")
        assert stop.value.step.name == "first"


def test_nothing_is_compiled_while_a_request_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(*CONDITIONAL)
    monkeypatch.setattr(matcher, "_re2", lambda node: pytest.fail("compiled"))
    monkeypatch.setattr(matcher, "compile_rules", lambda rules: pytest.fail("compiled"))
    for facts in (NO_FACTS, PROD):
        lane_of(rules.for_request(facts)).feed("secret ")


def test_rules_without_conditions_are_the_same_for_every_request() -> None:
    rules = rules_of(REDACT, FLAG)
    assert rules.for_request(PROD) is rules
