"""When steps may change places, share a stage or must wait: the only file that knows.

It asks their declared facts and nothing else (design section 2).
"""

from collections.abc import Callable, Sequence
from itertools import product

import attrs

from kt.plan import Stage, Step
from kt.policy import Facts, Sees


def may_swap(earlier: Step, later: Step) -> bool:
    """Whether `later` may start before `earlier` without changing decision, text or effects."""
    first, second = earlier.facts, later.facts
    if acts(first) and (acts(second) or second.can_block):
        return False  # what acts must have happened, and in the declared order
    if acts(second) and first.can_block:
        return False  # what acts must not happen where a policy declared before it blocks
    return not (second.sees is Sees.REDACTED and (first.edits or first.sees is Sees.REDACTED))


def may_swap_stages(earlier: Stage, later: Stage) -> bool:
    """Whether every step of one stage may change places with every step of the other."""
    return all(may_swap(*pair) for pair in product(earlier.steps, later.steps))


def must_follow(step: Step, other: Step) -> bool:
    """Whether a step may not start before another of its stage has answered.

    Who declares steps as parallel gives up their order, but not that an effect waits for what may
    forbid it, nor that redacted text is redacted.
    """
    if waits_for_text(step) and makes_text(other):
        return True
    is_guarded = acts(step.facts) and other.facts.can_block
    return is_guarded and (not acts(other.facts) or other.order < step.order)


def acts(facts: Facts) -> bool:
    """Whether something outside the phase is different after the step has run."""
    return facts.has_effects or facts.keeps_state


def waits_for_text(step: Step) -> bool:
    """Whether a step reads the text as the others leave it."""
    return step.facts.sees is Sees.REDACTED


def makes_text(step: Step) -> bool:
    """Whether the redacted text of its phase is not there before this step has answered."""
    return step.facts.edits and step.facts.sees is Sees.ORIGINAL


def moved_forward(
    stages: Sequence[Stage], rule: str, overtakes: Callable[[Stage, Stage], bool]
) -> tuple[Stage, ...]:
    """Move each stage before those that it overtakes, as far as it may; the steps say why."""
    moved: list[Stage] = []
    for at, stage in enumerate(stages):
        place = at
        while place and overtakes(stage, moved[place - 1]):
            if not may_swap_stages(moved[place - 1], stage):
                break
            place -= 1
        if place < at:
            stage = with_reason(stage, f"moved by {rule}: was {at + 1}")
        moved.insert(place, stage)
    return tuple(moved)


def with_reason(stage: Stage, reason: str) -> Stage:
    """The stage with one more `because` at each of its steps."""
    steps = (attrs.evolve(step, because=(*step.because, reason)) for step in stage.steps)
    return attrs.evolve(stage, steps=tuple(steps))
