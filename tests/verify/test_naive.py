"""The shipped reference decides as the one of the tests, which shares nothing with it."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs
from hypothesis import given
from hypothesis import strategies as st

from kt.filters.facts import FilterFacts
from kt.plan import Scan, Step
from kt.policy import Action, OnTrouble, Outcome, Phase
from kt.verify.naive import applying, decide, first_refused, redact
from tests.support import naive
from tests.support.plans import record_step, scan_step

STEPS = (
    scan_step("names", "ann", "anna", "nab", order=0, phase=Phase.INPUT),
    scan_step("blocks", "b{3}", action=Action.BLOCK, order=1, phase=Phase.INPUT),
    scan_step("asks", "c", action=Action.ESCALATE, order=2, phase=Phase.INPUT),
    scan_step("flags", "a", action=Action.FLAG, order=3, phase=Phase.INPUT, when="request.stream"),
    scan_step(
        "more",
        "ab+",
        order=4,
        phase=Phase.INPUT,
        on_trouble=OnTrouble.ALLOW,
        when="not request.stream",
    ),
    scan_step(
        "stops", "nn", action=Action.BLOCK, order=5, phase=Phase.INPUT, when="request.stream"
    ),
)
FACTS = st.sampled_from([{}, {"request.stream": True}, {"request.stream": False}]).map(
    lambda values: FilterFacts(MappingProxyType(values))
)
TROUBLE = st.dictionaries(
    st.integers(0, 5),
    st.sampled_from([Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE]),
    max_size=2,
)
TEXTS = st.text("abnc ", max_size=12)


def as_test_policy(step: Step, trouble: Outcome | None = None) -> naive.NaivePolicy:
    """The same policy for the reference of the tests."""
    assert isinstance(step.body, Scan)
    return naive.NaivePolicy(
        name=step.name,
        rules=step.body.rules,
        action=step.body.action,
        on_trouble=step.on_trouble,
        trouble=trouble,
        when=step.when,
    )


@given(
    st.lists(st.sampled_from(STEPS), unique_by=lambda step: step.order),
    st.lists(TEXTS, min_size=1, max_size=3),
    FACTS,
    TROUBLE,
)
def test_both_references_agree(
    steps: list[Step], texts: list[str], facts: FilterFacts, trouble: Mapping[int, Outcome]
) -> None:
    found = decide([*steps, record_step()], tuple(texts), facts, trouble)
    ordered = sorted(steps, key=lambda step: step.order)
    policies = [as_test_policy(step, trouble.get(step.order)) for step in ordered]
    wanted = naive.decide(naive.applying(policies, facts), texts)
    assert found.outcome is wanted.outcome
    assert found.texts == wanted.texts
    if wanted.outcome.is_trouble:
        # All of them ran, so that exactly the first is named.
        assert found.may_be_named == {wanted.named}
    else:
        assert found.may_be_named == wanted.may_be_named


@given(st.lists(st.sampled_from(STEPS), unique_by=lambda step: step.order), TEXTS)
def test_both_references_agree_on_what_may_be_seen_before_a_refusal(
    steps: list[Step], text: str
) -> None:
    there = applying(steps, FilterFacts(MappingProxyType({"request.stream": True})))
    policies = [as_test_policy(step) for step in there]
    refused_at = first_refused(there, text)
    assert refused_at == naive.earliest_block(policies, text)
    assert redact(there, text, refused_at) == naive.redact(policies, text, refused_at)


def test_steps_are_taken_in_declared_order_and_only_scans_are_known() -> None:
    everything = FilterFacts(MappingProxyType({"request.stream": True}))
    steps = [STEPS[3], attrs.evolve(STEPS[0], when=None), record_step()]
    assert [step.name for step in applying(steps, everything)] == ["names", "flags"]
