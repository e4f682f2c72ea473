"""What explains a plan and is not in it, as data: bounds, what never happens, what waits.

In: Plan. Out: one frozen value; `kt.plan.to_data` makes the JSON of it.
"""

import attrs

from kt.explain.bounds import Bound, bounds, unreachable
from kt.explain.holds import Hold, first_text, holds
from kt.plan import Plan


@attrs.frozen(kw_only=True)
class Explanation:
    """What follows from a plan."""

    bounds: tuple[Bound, ...]
    never: tuple[str, ...]
    """What cannot happen if all before it takes its time."""
    holds: tuple[Hold, ...]
    first_text: str
    """What the first text of a streamed answer waits for besides the provider."""


def explanation(plan: Plan) -> Explanation:
    """Everything that the text says beyond the plan."""
    found = holds(plan)
    return Explanation(
        bounds=bounds(plan),
        never=tuple(unreachable(plan)),
        holds=found,
        first_text=first_text(plan, found),
    )
