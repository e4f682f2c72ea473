"""Apply rules in order and check their laws after each.

In: Program and rules. Out: Program and the trace of what changed. A rule that loses or changes a
step, swaps what may not be swapped, or loosens a limit raises HouseBug with its name.
"""

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TypeAlias

import attrs

from kt.compiler.optimizer.commute import may_swap
from kt.compiler.program import Change, Program
from kt.errors import HouseBug
from kt.plan import Step, Timeouts
from kt.policy import Phase

Rule: TypeAlias = Callable[[Program], Program]

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
    return program, tuple(trace)


def broken_laws(before: Program, after: Program) -> Iterator[str]:
    """Every law that a rule's step from one program to the next breaks."""
    if attrs.evolve(after, steps=before.steps) != before:
        yield "changed something else than steps"
    for phase in Phase:
        yield from _broken_order(before.phase(phase), after.phase(phase))
    yield from broken_limits(after)


def _broken_order(before: tuple[Step, ...], after: tuple[Step, ...]) -> Iterator[str]:
    place = {step: at for at, step in enumerate(after)}
    if len(before) != len(after) or set(before) != set(place):
        yield "lost, added or changed a step"
        return
    for earlier, later in combinations(before, 2):
        if place[later] < place[earlier] and not may_swap(earlier, later):
            yield f"moved '{later.name}' before '{earlier.name}'"


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
    for phase in Phase:
        old = tuple(step.name for step in before.phase(phase))
        new = tuple(step.name for step in after.phase(phase))
        if old != new:
            yield Change(rule, phase, old, new)
