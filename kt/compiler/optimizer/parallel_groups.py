"""Bring the members of each `parallel_group` together in one stage.

In: Program. Out: Program with the same steps in fewer stages; every group that is left names
exactly one stage. Never: moves a member over a step that it may not swap with.
"""

from collections.abc import Sequence

import attrs

from kt.compiler.optimizer.commute import may_swap_stages, with_reason
from kt.compiler.program import Program
from kt.plan import Stage
from kt.policy import Phase


def parallel_groups(program: Program) -> Program:
    """Let members of a group start at once, where the first of them stands."""
    stages = tuple(stage for phase in Phase for stage in _gathered(program.phase(phase)))
    return attrs.evolve(program, stages=stages)


def _gathered(stages: Sequence[Stage]) -> list[Stage]:
    gathered: list[Stage] = []
    for stage in stages:
        at = _place_of(stage.group, gathered)
        if at is None:
            gathered.append(stage)
        elif all(may_swap_stages(passed, stage) for passed in gathered[at + 1 :]):
            gathered[at] = _joined(gathered[at], stage)
        else:
            reason = f"kept out of '{stage.group}' by parallel_groups: it may not start there"
            gathered.append(with_reason(attrs.evolve(stage, group=None), reason))
    return gathered


def _place_of(group: str | None, stages: Sequence[Stage]) -> int | None:
    places = (at for at, stage in enumerate(stages) if stage.group == group)
    return None if group is None else next(places, None)


def _joined(stage: Stage, member: Stage) -> Stage:
    member = with_reason(member, f"joined to '{stage.group}' by parallel_groups")
    return attrs.evolve(stage, steps=(*stage.steps, *member.steps))
