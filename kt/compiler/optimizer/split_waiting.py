"""Put what must wait behind what it waits for: effects and redacted text.

In: Program. Out: Program with the same steps, some in a later stage. Never: moves what makes the
redacted text, overtakes anything.
"""

from collections.abc import Sequence

import attrs

from kt.compiler.optimizer.commute import (
    makes_text,
    may_swap,
    must_follow,
    waits_for_text,
    with_reason,
)
from kt.compiler.program import PARTS, Program
from kt.plan import Stage, Step


def split_waiting(program: Program) -> Program:
    """Split stages until no step must wait for another of its stage, or for a later one."""
    stages = tuple(
        part
        for phase in PARTS
        for stage in _text_made(program.phase(phase))
        for part in _waves(stage)
    )
    return attrs.evolve(program, stages=stages)


def _text_made(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages with everything that reads redacted text behind the last that makes it.

    What may not change places with such a step follows it, so that nothing is overtaken.
    """
    makers = [at for at, stage in enumerate(stages) if any(map(makes_text, stage.steps))]
    if not makers:
        return stages
    front, rest = stages[: makers[-1] + 1], stages[makers[-1] + 1 :]
    late: list[Step] = []
    for step in (step for stage in front for step in stage.steps):
        if waits_for_text(step) or _is_held(step, late):
            late.append(step)
    early = (_without(stage, late) for stage in front)
    behind = (_only(stage, late) for stage in front)
    return (*(stage for stage in (*early, *behind) if stage.steps), *rest)


def _is_held(step: Step, late: list[Step]) -> bool:
    return not makes_text(step) and not all(may_swap(one, step) for one in late)


def _without(stage: Stage, late: Sequence[Step]) -> Stage:
    return attrs.evolve(stage, steps=tuple(step for step in stage.steps if step not in late))


def _only(stage: Stage, late: Sequence[Step]) -> Stage:
    steps = tuple(step for step in stage.steps if step in late)
    is_whole = len(steps) == len(stage.steps)
    # A group names one stage, so that gathering a second time changes nothing.
    moved = Stage(steps=steps, group=stage.group if is_whole else None)
    return with_reason(moved, "moved by split_waiting: behind what redacts")


def _waves(stage: Stage) -> list[Stage]:
    """The stage as one stage, or as several of which each waits for the one before."""
    waves: list[Stage] = []
    rest = stage.steps
    while rest:
        wave = tuple(step for step in rest if _is_ready(step, rest)) or _first(rest)
        rest = tuple(step for step in rest if step not in wave)
        waves.append(_wave(stage, wave, is_first=not waves))
    return waves


def _is_ready(step: Step, rest: Sequence[Step]) -> bool:
    return not any(must_follow(step, other) for other in rest if other is not step)


def _first(circle: Sequence[Step]) -> tuple[Step, ...]:
    """Where steps wait for each other in a circle, one that must not wait for text begins it."""
    return next((step,) for step in circle if not waits_for_text(step))


def _wave(stage: Stage, steps: tuple[Step, ...], *, is_first: bool) -> Stage:
    if is_first:
        return attrs.evolve(stage, steps=steps)
    reason = f"split off '{stage.group}' by split_waiting: it waits for the others"
    return with_reason(Stage(steps=steps), reason)
