"""Bring the members of each `parallel_group` together in one stage.

In: Program. Out: Program with the same steps in fewer stages; every group that is left names
exactly one stage. Never: moves a member over a step that it may not swap with.
"""

from collections.abc import Sequence

import attrs

from kt.compiler.optimizer.commute import Border, drawn_by, heeded_by, with_reason
from kt.compiler.program import Program
from kt.plan import Stage
from kt.policy import Phase


def parallel_groups(program: Program) -> Program:
    """Let members of a group start at once, where the first of them stands."""
    stages = tuple(stage for phase in Phase for stage in _gathered(program.phase(phase)))
    return attrs.evolve(program, stages=stages)


def _gathered(stages: Sequence[Stage]) -> list[Stage]:
    gathered: list[list[Stage]] = []
    places: dict[str, int] = {}
    last_drawn: dict[Border, int] = {}
    for stage in stages:
        at = len(gathered) if stage.group is None else places.setdefault(stage.group, len(gathered))
        if at < len(gathered) and any(last_drawn.get(one, -1) > at for one in heeded_by(stage)):
            stage = _kept_out(stage)
            at = len(gathered)
        if at == len(gathered):
            gathered.append([])
        gathered[at].append(stage)
        for border in drawn_by(stage):
            last_drawn[border] = max(last_drawn.get(border, -1), at)
    return [_joined(members) for members in gathered]


def _kept_out(stage: Stage) -> Stage:
    reason = f"kept out of '{stage.group}' by parallel_groups: it may not start there"
    return with_reason(attrs.evolve(stage, group=None), reason)


def _joined(members: Sequence[Stage]) -> Stage:
    first, *others = members
    reason = f"joined to '{first.group}' by parallel_groups"
    later = (step for stage in others for step in with_reason(stage, reason).steps)
    return attrs.evolve(first, steps=(*first.steps, *later)) if others else first
