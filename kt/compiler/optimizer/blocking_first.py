"""Move blocking policies to the front of their phase.

In: Program. Out: Program with the same stages, some earlier. Never: changes a step, crosses a
border, moves a blocker past another that could have started as well.
"""

import attrs

from kt.compiler.optimizer.arrange import cheapest_in_front
from kt.compiler.program import PARTS, Program
from kt.plan import Stage


def blocking_first(program: Program) -> Program:
    """Start every blocker as early as the steps before it allow: a block saves the rest."""
    stages = tuple(
        stage
        for phase in PARTS
        for stage in cheapest_in_front(program.phase(phase), "blocking_first", _cannot_block)
    )
    return attrs.evolve(program, stages=stages)


def _cannot_block(stage: Stage) -> bool:
    return not any(step.facts.can_block for step in stage.steps)
