"""When two steps may change places: the only file that knows.

It asks their declared facts and nothing else (design section 2).
"""

from kt.plan import Step
from kt.policy import Facts, Sees


def may_swap(earlier: Step, later: Step) -> bool:
    """Whether `later` may start before `earlier` without changing decision, text or effects."""
    first, second = earlier.facts, later.facts
    if _acts(first) and (_acts(second) or second.can_block):
        return False  # what acts must have happened, and in the declared order
    if _acts(second) and first.can_block:
        return False  # what acts must not happen where a policy declared before it blocks
    return not (second.sees is Sees.REDACTED and (first.edits or first.sees is Sees.REDACTED))


def _acts(facts: Facts) -> bool:
    return facts.has_effects or facts.keeps_state
