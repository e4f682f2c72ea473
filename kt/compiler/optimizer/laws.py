"""The laws of the optimizer: what must hold after every rule, and when all of them have run.

In: a program before and after. Out: each law that is broken, as the rest of a sentence. Never: work
that grows faster than the program: who passed whom is asked of a border, not of every pair.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs

from kt.compiler.optimizer.commute import (
    Border,
    borders_drawn,
    borders_heeded,
    makes_text,
    waits_for_text,
)
from kt.compiler.program import PARTS, Key, Program, key_of, part_of
from kt.plan import Stage, Step, Timeouts

BELOW_REQUEST = ("queue", "connect", "first_byte", "policy")
"""Deadlines that run inside the request's. `inter_chunk` takes over where the request's ends."""

_Drawn: TypeAlias = dict[Border, tuple[int, dict[str | None, Step]]]
"""For each border the last place where a step stands now that draws it, and who does: one step of
each group."""


def broken_laws(before: Program, after: Program) -> Iterator[str]:
    """Every law that a rule's step from one program to the next breaks."""
    if attrs.evolve(after, stages=before.stages) != before:
        yield "changed something else than stages"
    if any(len({part_of(step) for step in stage.steps}) != 1 for stage in after.stages):
        yield "left a stage that belongs to no one phase"
        return
    idle = before.idle
    for phase in PARTS:
        kept, left = _without(before.phase(phase), idle), _without(after.phase(phase), idle)
        if kept == left:
            continue  # most rules leave most phases as they are
        if _is_whole(kept, left):
            yield from moved_too_far(kept, left)
        else:
            yield "lost, added or changed a step"


def _without(stages: tuple[Stage, ...], idle: frozenset[int]) -> tuple[Stage, ...]:
    if not idle:
        return stages
    left = (
        attrs.evolve(stage, steps=tuple(step for step in stage.steps if step.order not in idle))
        for stage in stages
    )
    return tuple(stage for stage in left if stage.steps)


def _is_whole(before: tuple[Stage, ...], after: tuple[Stage, ...]) -> bool:
    old = [step for stage in before for step in stage.steps]
    now_there = [step for stage in after for step in stage.steps]
    new = {key_of(step): step for step in now_there}
    is_one_each = len(now_there) == len(old) == len(new)
    return is_one_each and all(_is_same(step, new.get(key_of(step))) for step in old)


def _is_same(step: Step, changed: Step | None) -> bool:
    """Whether a step is the same but for its limit, which may only become shorter."""
    if changed is None or not changed.limit.seconds <= step.limit.seconds:
        return False
    return changed is step or attrs.evolve(changed, limit=step.limit) == step


def moved_too_far(before: tuple[Stage, ...], after: tuple[Stage, ...]) -> Iterator[str]:
    """Who does not stand behind a border any more that was drawn in an earlier stage.

    Two exceptions: the user has declared steps as parallel; and what makes the redacted text runs
    before what reads it, wherever they are declared (decisions/016).
    """
    now = _places(after)
    drawn: _Drawn = {}
    drawn_before_readers: _Drawn = {}
    is_read = False
    for stage in before:
        for step in stage.steps:
            known = drawn_before_readers if makes_text(step) else drawn
            for passed in _passed(step, stage.group, now[key_of(step)], known):
                yield f"moved '{step.name}' before '{passed.name}'"
        for step in stage.steps:
            is_read = is_read or waits_for_text(step)
            _draw(step, stage.group, now[key_of(step)], drawn)
            if not is_read:
                _draw(step, stage.group, now[key_of(step)], drawn_before_readers)


def _places(stages: tuple[Stage, ...]) -> Mapping[Key, int]:
    return {key_of(step): at for at, stage in enumerate(stages) for step in stage.steps}


def _draw(step: Step, group: str | None, place: int, drawn: _Drawn) -> None:
    for border in borders_drawn(step):
        last, _ = drawn.get(border, (-1, {}))
        if place > last:
            drawn[border] = (place, {group: step})
        elif place == last:
            drawn[border][1].setdefault(group, step)


def _passed(step: Step, group: str | None, place: int, drawn: _Drawn) -> Iterator[Step]:
    """For each border that a step heeds somebody who draws it and does not start before."""
    for border in borders_heeded(step):
        last, drawing = drawn.get(border, (-1, {}))
        is_parallel = last == place and group is not None
        others = (one for each, one in drawing.items() if not (is_parallel and each == group))
        passed = next(others, None)
        if last >= place and passed is not None:
            yield passed


def broken_waits(program: Program) -> Iterator[str]:
    """Every step that starts before what it must wait for."""
    for phase in PARTS:
        yield from _read_too_early(program.phase(phase))
        for stage in program.phase(phase):
            yield from _start_at_once(stage)


def _read_too_early(stages: tuple[Stage, ...]) -> Iterator[str]:
    reader: Step | None = None
    for stage in stages:
        maker = next(filter(makes_text, stage.steps), None)
        if reader and maker:
            yield f"let '{reader.name}' read before '{maker.name}' redacts"
        reader = reader or next(filter(waits_for_text, stage.steps), None)


def _start_at_once(stage: Stage) -> Iterator[str]:
    """Who must follow another of the same stage (`commute.must_follow`), with one of those."""
    maker = next(filter(makes_text, stage.steps), None)
    blockers = [step for step in stage.steps if step.facts.can_block]
    blocker = next((step for step in blockers if not step.facts.acts), None)
    guards = (step for step in blockers if step.facts.acts)
    guard = min(guards, key=lambda step: step.order, default=None)
    for step in stage.steps:
        if maker and waits_for_text(step):
            yield f"let '{step.name}' start at once with '{maker.name}'"
        if not step.facts.acts:
            continue
        if blocker:
            yield f"let '{step.name}' start at once with '{blocker.name}'"
        elif guard and guard.order < step.order:
            yield f"let '{step.name}' start at once with '{guard.name}'"


def broken_limits(program: Program) -> Iterator[str]:
    """Every limit that is not finite, or later than the one around it."""
    timeouts = program.timeouts
    for field in attrs.fields(Timeouts):
        if not 0 < getattr(timeouts, field.name).seconds < math.inf:
            yield f"left '{field.name}' without a bound"
    for name in BELOW_REQUEST:
        if getattr(timeouts, name).seconds > timeouts.request.seconds:
            yield f"let '{name}' outlast the request"
    for step in program.steps:
        if not 0 < step.limit.seconds <= timeouts.policy.seconds:
            yield f"let '{step.name}' outlast the policy budget"
