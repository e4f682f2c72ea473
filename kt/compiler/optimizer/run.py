"""Apply rules in order and check their laws after each.

In: Program and rules. Out: Program and the trace of what changed. A rule that loses or changes a
step, swaps what may not be swapped, or loosens a limit raises HouseBug with its name.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from kt.compiler.optimizer.laws import broken_laws, broken_limits, broken_waits
from kt.compiler.program import PARTS, Change, Program
from kt.errors import HouseBug
from kt.plan import Stage
from kt.units import show_duration

Rule: TypeAlias = Callable[[Program], Program]


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
