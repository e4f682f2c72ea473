"""Apply rules in order and check their laws after each.

In: Program and rules. Out: Program and the trace of what changed. A rule that loses or changes a
step, swaps what may not be swapped, or loosens a limit raises HouseBug with its name.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, permutations
from typing import TypeAlias

import attrs

from kt.compiler.optimizer.commute import makes_text, may_swap, must_follow, waits_for_text
from kt.compiler.program import PARTS, Change, Program, part_of
from kt.errors import HouseBug
from kt.plan import Stage, Step, Timeouts
from kt.policy import Phase
from kt.units import show_duration

Rule: TypeAlias = Callable[[Program], Program]
_Key: TypeAlias = tuple[int, Phase]

BELOW_REQUEST = ("queue", "connect", "first_byte", "policy")
"""Deadlines that run inside the request's. `inter_chunk` takes over where the request's ends."""


def run(program: Program, rules: tuple[Rule, ...]) -> tuple[Program, tuple[Change, ...]]:
    """Apply each rule once, in order."""
    trace: list[Change] = []
    for rule in rules:
        changed = rule(program)
        for broken in broken_laws(program, changed):
            raise HouseBug(f"the rule '{rule.__name__}' {broken}")
        trace += _changes(rule.__name__, program, changed)
        program = changed
    for broken in (*broken_limits(program), *broken_waits(program)):
        raise HouseBug(f"the rules {broken}")
    return program, tuple(trace)


def broken_laws(before: Program, after: Program) -> Iterator[str]:
    """Every law that a rule's step from one program to the next breaks."""
    if attrs.evolve(after, stages=before.stages) != before:
        yield "changed something else than stages"
    if any(len({part_of(step) for step in stage.steps}) != 1 for stage in after.stages):
        yield "left a stage that belongs to no one phase"
        return
    for phase in PARTS:
        kept = _enabled(before.phase(phase), before.disabled)
        yield from _broken_order(kept, after.phase(phase), before.disabled)


def _enabled(stages: tuple[Stage, ...], disabled: frozenset[int]) -> tuple[Stage, ...]:
    left = (
        attrs.evolve(stage, steps=tuple(one for one in stage.steps if one.order not in disabled))
        for stage in stages
    )
    return tuple(stage for stage in left if stage.steps)


def _broken_order(
    before: tuple[Stage, ...], after: tuple[Stage, ...], disabled: frozenset[int]
) -> Iterator[str]:
    old = [step for stage in before for step in stage.steps]
    now_there = [step for stage in _enabled(after, disabled) for step in stage.steps]
    new = {_key(step): step for step in now_there}
    is_whole = len(now_there) == len(old) == len(new)
    if not is_whole or any(not _is_same(step, new.get(_key(step))) for step in old):
        yield "lost, added or changed a step"
        return
    yield from _moved_too_far(old, before, _places(before), _places(after))


def _moved_too_far(
    old: list[Step],
    before: tuple[Stage, ...],
    was: Mapping[_Key, int],
    now: Mapping[_Key, int],
) -> Iterator[str]:
    groups = {_key(step): stage.group for stage in before for step in stage.steps}
    readers = [at for at, step in enumerate(old) if waits_for_text(step)]
    first_reader = readers[0] if readers else len(old)
    for at, later in enumerate(old):
        place, group = now[_key(later)], groups[_key(later)]
        for index, earlier in enumerate(old[:at]):
            key = _key(earlier)
            if now[key] < place:
                continue
            # The user has declared the two as parallel.
            stays = now[key] == place and group is not None and groups[key] == group
            # What makes the redacted text runs before what reads it, wherever they are declared.
            makes = makes_text(later) and index >= first_reader
            if not (stays or makes or was[key] == was[_key(later)] or may_swap(earlier, later)):
                yield f"moved '{later.name}' before '{earlier.name}'"


def _key(step: Step) -> _Key:
    """What tells steps apart: one entry of the chain may run in several phases."""
    return step.order, step.phase


def _is_same(step: Step, changed: Step | None) -> bool:
    """Whether a step is the same but for its limit, which may only become shorter."""
    if changed is None or not changed.limit.seconds <= step.limit.seconds:
        return False
    return attrs.evolve(changed, limit=step.limit) == step


def _places(stages: tuple[Stage, ...]) -> Mapping[_Key, int]:
    return {_key(step): at for at, stage in enumerate(stages) for step in stage.steps}


def broken_waits(program: Program) -> Iterator[str]:
    """Every step that starts before what it must wait for."""
    for phase in PARTS:
        stages = program.phase(phase)
        for first, second in combinations(stages, 2):
            makes = any(map(makes_text, second.steps))
            if makes and any(map(waits_for_text, first.steps)):
                yield f"let '{first.steps[0].name}' read before '{second.steps[0].name}' redacts"
        for stage in stages:
            for step, other in permutations(stage.steps, 2):
                if must_follow(step, other):
                    yield f"let '{step.name}' start at once with '{other.name}'"


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


def _changes(rule: str, before: Program, after: Program) -> Iterator[Change]:
    for phase in PARTS:
        old, new = before.phase(phase), after.phase(phase)
        if _names(old) != _names(new):
            yield Change(rule, phase, _names(old), _names(new))
        elif _limits(old) != _limits(new):
            yield Change(rule, phase, _limits(old), _limits(new))


def _names(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    return tuple(" + ".join(step.name for step in stage.steps) for stage in stages)


def _limits(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    steps = (step for stage in stages for step in stage.steps)
    return tuple(f"{step.name} within {show_duration(step.limit.seconds)}" for step in steps)
