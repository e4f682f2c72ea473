"""When steps may change places, share a stage or must wait: the only file that knows.

It asks their declared facts and nothing else (design section 2). That both run for a request is
never assumed: where one does not apply, only more is allowed.
"""

from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias

import attrs

from kt.plan import Stage, Step
from kt.policy import Sees


class Border(Enum):
    """Why a step may not start before one that is declared earlier."""

    EFFECTS_IN_ORDER = "what acts does so in the declared order"
    EFFECT_FIRST = "what acts has happened before a blocker can end the request"
    BLOCK_FIRST = "nothing acts where a policy declared before it blocks"
    TEXT_FIRST = "redacted text is as those declared earlier leave it"


Borders: TypeAlias = frozenset[Border]


def borders_drawn(step: Step) -> Borders:
    """The borders that a step draws: who heeds one of them and is declared later, stays behind."""
    facts = step.facts
    drawn = []
    if facts.acts:
        drawn.append(Border.EFFECTS_IN_ORDER)
        if not facts.free_order:
            drawn.append(Border.EFFECT_FIRST)
    if facts.can_block:
        drawn.append(Border.BLOCK_FIRST)
    if facts.edits or waits_for_text(step):
        drawn.append(Border.TEXT_FIRST)
    return frozenset(drawn)


def borders_heeded(step: Step) -> Borders:
    """The borders that a step does not cross."""
    heeded = []
    if step.facts.acts:
        heeded += [Border.EFFECTS_IN_ORDER, Border.BLOCK_FIRST]
    if step.facts.can_block:
        heeded.append(Border.EFFECT_FIRST)
    if waits_for_text(step):
        heeded.append(Border.TEXT_FIRST)
    return frozenset(heeded)


def may_swap(earlier: Step, later: Step) -> bool:
    """Whether `later` may start before `earlier` without changing decision, text or effects."""
    return borders_drawn(earlier).isdisjoint(borders_heeded(later))


def drawn_by(stage: Stage) -> Borders:
    """The borders that some step of a stage draws."""
    return _union(map(borders_drawn, stage.steps))


def heeded_by(stage: Stage) -> Borders:
    """The borders that some step of a stage does not cross."""
    return _union(map(borders_heeded, stage.steps))


def _union(borders: Iterable[Borders]) -> Borders:
    return frozenset().union(*borders)


def must_follow(step: Step, other: Step) -> bool:
    """Whether a step may not start before another of its stage has answered.

    Who declares steps as parallel gives up their order, but not that an effect waits for what may
    forbid it, nor that redacted text is redacted.
    """
    if waits_for_text(step) and makes_text(other):
        return True
    is_guarded = step.facts.acts and other.facts.can_block
    return is_guarded and (not other.facts.acts or other.order < step.order)


def waits_for_text(step: Step) -> bool:
    """Whether a step reads the text as the others leave it."""
    return step.facts.sees is Sees.REDACTED


def makes_text(step: Step) -> bool:
    """Whether the redacted text of its phase is not there before this step has answered."""
    return step.facts.edits and step.facts.sees is Sees.ORIGINAL


def with_reason(stage: Stage, reason: str) -> Stage:
    """The stage with one more `because` at each of its steps."""
    steps = (attrs.evolve(step, because=(*step.because, reason)) for step in stage.steps)
    return attrs.evolve(stage, steps=tuple(steps))
