"""For which requests a step is, in words.

In: Step. Out: text in the filter language, nothing for a step that is for every request.
"""

from kt.filters.printing import show
from kt.plan import Step


def only_when(step: Step) -> str:
    """`only when` and the condition; empty where there is none."""
    return "" if step.when is None else f"only when {show(step.when)}"
