"""Cut every step's limit to what is around it.

In: Program. Out: Program whose steps never outlast the policy budget. Never: makes a limit longer.
"""

import attrs

from kt.compiler.program import Program
from kt.plan import Limit, Stage, Step
from kt.units import show_duration


def resolve_timeouts(program: Program) -> Program:
    """Give each step at most the policy budget, which is itself inside the request."""
    budget = program.timeouts.policy

    def cut(stage: Stage) -> Stage:
        return attrs.evolve(stage, steps=tuple(_cut(step, budget) for step in stage.steps))

    return attrs.evolve(program, stages=tuple(cut(stage) for stage in program.stages))


def _cut(step: Step, budget: Limit) -> Step:
    own = step.limit
    if own.seconds <= budget.seconds:
        return step
    limit = Limit(budget.seconds, origin=f"{own.origin}, cut to policy ({budget.origin})")
    reason = f"limit {show_duration(own.seconds)} cut by resolve_timeouts"
    return attrs.evolve(step, limit=limit, because=(*step.because, reason))
