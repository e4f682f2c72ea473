"""The rule `blocking_first`."""

import pytest

from kt.compiler.optimizer.blocking_first import blocking_first
from kt.compiler.optimizer.run import run
from kt.compiler.program import Change
from kt.policy import Facts, Phase
from tests.compiler.optimizer.test_commute import ACTS, BLOCKS, DETECTS, EDITS
from tests.laws.test_compiler_optimizer import step_of
from tests.support.programs import program_of


def order_of(*facts: Facts) -> list[int]:
    """The declared places in the order in which they start."""
    program = program_of([step_of(order, one) for order, one in enumerate(facts)])
    return [step.order for step in blocking_first(program).steps]


@pytest.mark.parametrize(
    ("facts", "order"),
    [
        ((), []),
        ((BLOCKS, EDITS), [0, 1]),
        ((EDITS, BLOCKS), [1, 0]),
        ((EDITS, DETECTS, BLOCKS), [2, 0, 1]),
        ((EDITS, BLOCKS, DETECTS, BLOCKS), [1, 3, 0, 2]),
        ((ACTS, BLOCKS), [0, 1]),
        ((EDITS, ACTS, DETECTS, BLOCKS), [0, 1, 3, 2]),
    ],
)
def test_blockers_start_as_early_as_they_may(facts: tuple[Facts, ...], order: list[int]) -> None:
    assert order_of(*facts) == order


def test_phases_do_not_mix() -> None:
    steps = [step_of(0, EDITS, Phase.OUTPUT), step_of(1, BLOCKS, Phase.INPUT)]
    changed = blocking_first(program_of(steps))
    assert all(step.because == () for step in changed.steps)


def test_the_trace_says_what_a_rule_did() -> None:
    program = program_of([step_of(0, EDITS), step_of(1, BLOCKS)])
    _, trace = run(program, (blocking_first,))
    assert trace == (Change("blocking_first", Phase.INPUT, ("step0", "step1"), ("step1", "step0")),)
