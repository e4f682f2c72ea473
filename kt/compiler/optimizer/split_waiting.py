"""Put what must wait behind what it waits for: effects and redacted text.

In: Program. Out: Program with the same steps, some in a later stage. Never: moves what makes the
redacted text (decisions/016), overtakes anything.
"""

from bisect import bisect_left
from collections import defaultdict

import attrs

from kt.compiler.optimizer.commute import (
    Border,
    borders_drawn,
    borders_heeded,
    makes_text,
    waits_for_text,
    with_reason,
)
from kt.compiler.program import PARTS, Key, Program, key_of
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
    drawn_late: set[Border] = set()
    early: list[Stage] = []
    behind: list[Stage] = []
    for stage in stages[: makers[-1] + 1]:
        late = _late(stage, drawn_late)
        in_time = tuple(step for step in stage.steps if key_of(step) not in late)
        early.append(attrs.evolve(stage, steps=in_time))
        behind.append(_moved(stage, late))
    return (*(one for one in (*early, *behind) if one.steps), *stages[makers[-1] + 1 :])


def _late(stage: Stage, drawn_late: set[Border]) -> frozenset[Key]:
    """The steps that go behind; the borders that they draw are added."""
    late = set()
    for step in stage.steps:
        is_held = not makes_text(step) and not drawn_late.isdisjoint(borders_heeded(step))
        if waits_for_text(step) or is_held:
            late.add(key_of(step))
            drawn_late |= borders_drawn(step)
    return frozenset(late)


def _moved(stage: Stage, late: frozenset[Key]) -> Stage:
    # A group names one stage, so that gathering a second time changes nothing.
    is_whole = len(late) == len(stage.steps)
    steps = tuple(step for step in stage.steps if key_of(step) in late)
    moved = Stage(steps=steps, group=stage.group if is_whole else None)
    return with_reason(moved, "moved by split_waiting: behind what redacts")


def _waves(stage: Stage) -> list[Stage]:
    """The stage as one stage, or as several of which each waits for the one before.

    No step of it reads what another redacts any more; what acts still waits for what may block.
    """
    may_block = [step for step in stage.steps if step.facts.can_block]
    guards = sorted(step.order for step in may_block if step.facts.acts)
    is_guarded = len(guards) < len(may_block)
    waves: defaultdict[int, list[Step]] = defaultdict(list)
    for step in stage.steps:
        earlier_guards = bisect_left(guards, step.order) if step.facts.acts else 0
        waves[earlier_guards + (is_guarded and step.facts.acts)].append(step)
    return [_wave(stage, tuple(waves[at]), is_first=not at) for at in sorted(waves)]


def _wave(stage: Stage, steps: tuple[Step, ...], *, is_first: bool) -> Stage:
    if is_first:
        return attrs.evolve(stage, steps=steps)
    reason = f"split off '{stage.group}' by split_waiting: it waits for the others"
    return with_reason(Stage(steps=steps), reason)
