"""What a proof is tried on: texts that rules find, and facts that make each condition both."""

from collections.abc import Callable
from types import MappingProxyType

import pytest
from hypothesis import Phase as Part
from hypothesis import find, given, settings
from hypothesis import strategies as st

from kt.filters.evaluation import compile_filter
from kt.filters.facts import FilterFacts
from kt.plan import Step
from kt.policy import Outcome, Phase
from kt.verify.cases import Case, streamed_cases, whole_cases
from tests.support.plans import record_step, scan_step

CONDITIONS = (
    'header["x-env"] == "prod"',
    "request.max_tokens > 2000 and not request.stream",
    'request.model matches "^gpt-[0-9]+$"',
    'user.groups contains "admins"',
)
STEPS = tuple(
    scan_step(f"p{at}", "tok_[a-z]+", order=at, phase=Phase.INPUT, when=when)
    for at, when in enumerate(CONDITIONS)
)
CASES = whole_cases(Phase.INPUT, (*STEPS, record_step()))
QUICK = settings(max_examples=2000, database=None, derandomize=True, phases=(Part.generate,))


def exists(strategy: st.SearchStrategy[Case], asked: Callable[[Case], bool]) -> bool:
    """Whether such a case is made."""
    return asked(find(strategy, asked, settings=QUICK))


@pytest.mark.parametrize("step", STEPS)
def test_every_condition_is_made_true_and_false(step: Step) -> None:
    assert step.when is not None
    is_for = compile_filter(step.when)
    assert exists(CASES, lambda case: is_for(case.facts))
    assert exists(CASES, lambda case: not is_for(case.facts))


def test_several_conditions_are_made_true_at_once() -> None:
    tests = [compile_filter(step.when) for step in STEPS if step.when is not None]
    assert exists(CASES, lambda case: sum(is_for(case.facts) for is_for in tests) >= 2)


def test_texts_are_found_by_the_rules_and_steps_get_into_trouble() -> None:
    assert exists(CASES, lambda case: any("tok_" in text for text in case.texts))
    assert exists(CASES, lambda case: Outcome.LATE in case.trouble.values())
    assert exists(CASES, lambda case: not case.trouble)


def test_without_steps_there_are_still_texts() -> None:
    assert exists(whole_cases(Phase.INPUT, ()), lambda case: case.texts != ("",))


@given(streamed_cases(STEPS))
def test_pieces_are_the_text(case: Case) -> None:
    assert ["".join(case.pieces(text)) for text in case.texts] == list(case.texts)


def test_a_case_is_told_line_by_line() -> None:
    case = Case(
        phase=Phase.OUTPUT,
        texts=("ab\n",),
        facts=FilterFacts(MappingProxyType({"user.groups": frozenset("ba"), "request.model": "m"})),
        trouble={2: Outcome.LATE},
        cuts=(1,),
        late_after=3,
    )
    assert list(case.told()) == [
        "text: 'a' + 'b\\n'",
        'request: request.model is "m"',
        "request: user.groups is a b",
        "trouble: entry 3 of the chain is late",
        "time: over after 3 pieces",
    ]
