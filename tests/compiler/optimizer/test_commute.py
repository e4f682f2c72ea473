"""Which steps may change places."""

import pytest

from kt.compiler.optimizer.commute import may_swap
from kt.policy import Facts, Sees
from tests.laws.test_compiler_optimizer import step_of

DETECTS = Facts(surfaces=frozenset())
BLOCKS = Facts(surfaces=frozenset(), can_block=True)
EDITS = Facts(surfaces=frozenset(), edits=True)
ACTS = Facts(surfaces=frozenset(), has_effects=True)
REMEMBERS = Facts(surfaces=frozenset(), keeps_state=True)
READS_REDACTED = Facts(surfaces=frozenset(), sees=Sees.REDACTED)


@pytest.mark.parametrize(
    ("earlier", "later", "may"),
    [
        (DETECTS, BLOCKS, True),
        (EDITS, BLOCKS, True),
        (BLOCKS, EDITS, True),
        (BLOCKS, BLOCKS, True),
        (ACTS, BLOCKS, False),
        (REMEMBERS, BLOCKS, False),
        (BLOCKS, ACTS, False),
        (ACTS, REMEMBERS, False),
        (ACTS, EDITS, True),
        (EDITS, ACTS, True),
        (EDITS, READS_REDACTED, False),
        (READS_REDACTED, EDITS, True),
        (READS_REDACTED, READS_REDACTED, False),
        (DETECTS, READS_REDACTED, True),
    ],
)
def test_steps_swap_where_neither_decision_nor_effects_change(
    earlier: Facts, later: Facts, may: bool
) -> None:
    assert may_swap(step_of(0, earlier), step_of(1, later)) is may
