"""Move blocking policies to the front of their phase.

In: Program. Out: Program with the same stages, some earlier. Never: changes a step, crosses a
may_swap border, moves a blocker past another.
"""

import attrs

from kt.compiler.optimizer.commute import moved_forward
from kt.compiler.program import PARTS, Program
from kt.plan import Stage


def blocking_first(program: Program) -> Program:
    """Start every blocker as early as the steps before it allow: a block saves the rest."""
    stages = tuple(
        stage
        for phase in PARTS
        for stage in moved_forward(program.phase(phase), "blocking_first", _overtakes)
    )
    return attrs.evolve(program, stages=stages)


def _overtakes(stage: Stage, earlier: Stage) -> bool:
    return _can_block(stage) and not _can_block(earlier)


def _can_block(stage: Stage) -> bool:
    return any(step.facts.can_block for step in stage.steps)
