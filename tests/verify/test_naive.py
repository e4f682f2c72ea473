"""The shipped reference decides as the one of the tests, which shares nothing with it."""

from hypothesis import given
from hypothesis import strategies as st

from kt.plan import Scan, Step
from kt.policy import Action, Phase
from kt.verify.naive import decide
from tests.support import naive
from tests.support.plans import record_step, scan_step

STEPS = (
    scan_step("names", "ann", "anna", "nab", order=0, phase=Phase.INPUT),
    scan_step("blocks", "b{3}", action=Action.BLOCK, order=1, phase=Phase.INPUT),
    scan_step("asks", "c", action=Action.ESCALATE, order=2, phase=Phase.INPUT),
    scan_step("flags", "a", action=Action.FLAG, order=3, phase=Phase.INPUT),
    scan_step("more", "ab+", order=4, phase=Phase.INPUT),
)


def as_test_policy(step: Step) -> naive.NaivePolicy:
    """The same policy for the reference of the tests."""
    assert isinstance(step.body, Scan)
    return naive.NaivePolicy(name=step.name, rules=step.body.rules, action=step.body.action)


@given(
    st.lists(st.sampled_from(STEPS), unique=True),
    st.lists(st.text("abnc ", max_size=12), min_size=1, max_size=3),
)
def test_both_references_agree(steps: list[Step], texts: list[str]) -> None:
    found = decide([*steps, record_step()], tuple(texts))
    ordered = sorted(steps, key=lambda step: step.order)
    wanted = naive.decide([as_test_policy(step) for step in ordered], texts)
    assert found.outcome is wanted.outcome
    assert found.may_be_named == wanted.may_be_named
    assert found.texts == wanted.texts
