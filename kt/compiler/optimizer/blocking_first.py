"""Move blocking policies to the front of their phase.

In: Program. Out: Program with the same steps, some earlier. Never: changes a step, crosses a
may_swap border, moves a blocker past another.
"""

import attrs

from kt.compiler.optimizer.commute import may_swap
from kt.compiler.program import Program
from kt.plan import Step
from kt.policy import Phase


def blocking_first(program: Program) -> Program:
    """Start every blocker as early as the steps before it allow: a block saves the rest."""
    steps = tuple(step for phase in Phase for step in _hoisted(program.phase(phase)))
    return attrs.evolve(program, steps=steps)


def _hoisted(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    hoisted: list[Step] = []
    for place, step in enumerate(steps):
        target = _earliest(hoisted, step)
        if target < place:
            reason = f"moved by blocking_first: was {place + 1}"
            step = attrs.evolve(step, because=(*step.because, reason))
        hoisted.insert(target, step)
    return tuple(hoisted)


def _earliest(before: list[Step], step: Step) -> int:
    place = len(before)
    if not step.facts.can_block:
        return place
    while place and not before[place - 1].facts.can_block and may_swap(before[place - 1], step):
        place -= 1
    return place
