"""Order what may change places by its cost for each block that it finds.

In: Program, with a profile where one was given. Out: Program with the same stages, some earlier.
Never: crosses a border.

The order that costs least until the first block is that of cost over block probability: a check
that is cheap and blocks often saves most of the others, one that never blocks saves nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from kt.compiler.optimizer.arrange import cheapest_in_front
from kt.compiler.profile import Profile
from kt.compiler.program import PARTS, Program
from kt.plan import Stage, Step
from kt.policy import Cost

ESTIMATED_SECONDS: Mapping[Cost, float] = MappingProxyType(
    {Cost.INLINE: 0.0005, Cost.THREAD: 0.005, Cost.NETWORK: 0.3}
)
"""What a run costs where nothing was measured: the middle of what its class promises."""
ESTIMATED_BLOCK_RATE = 0.01
"""How often a check blocks where nothing was measured: one request in a hundred."""


def cheapest_first(program: Program) -> Program:
    """Start what costs least for each block first; equal ones stay in declared order."""

    def priced(stage: Stage) -> float:
        return price(stage, program.profile)

    stages = tuple(
        stage
        for phase in PARTS
        for stage in cheapest_in_front(program.phase(phase), "cheapest_first", priced)
    )
    return attrs.evolve(program, stages=stages)


def price(stage: Stage, profile: Profile) -> float:
    """The seconds that a stage costs for each block that it finds; infinite if it finds none.

    Costs and rates are added, so that the price of a stage lies between those of its members and
    fusing neighbors never changes the order.
    """
    rate = sum(_block_rate(step, profile) for step in stage.steps)
    return (
        sum(estimated_seconds(step, profile) for step in stage.steps) / rate
        if rate
        else float("inf")
    )


def estimated_seconds(step: Step, profile: Profile) -> float:
    """What one run of a step costs, as measured before or as its class promises."""
    measured = profile.of(step)
    return ESTIMATED_SECONDS[step.facts.cost] if measured is None else measured.cost


def _block_rate(step: Step, profile: Profile) -> float:
    if not step.facts.can_block:
        return 0.0
    measured = profile.of(step)
    return ESTIMATED_BLOCK_RATE if measured is None else measured.block_rate
