"""Run schedules until one breaks a promise, and make that one small.

In: seeds. Out: the first failure, with its story. Never: chance beyond the seeds.
"""

from collections.abc import Callable, Iterable

import attrs

from kt.errors import HouseBug
from kt.simulation.drawing import draw
from kt.simulation.invariants import Broken, broken
from kt.simulation.observed import Happening
from kt.simulation.schedule import Schedule
from kt.simulation.shrinking import shrunk
from kt.simulation.world import simulate

CRASH = "the run itself"


@attrs.frozen(kw_only=True)
class Examined:
    """A schedule, what happened, and which promises did not hold."""

    schedule: Schedule
    broken: tuple[Broken, ...]
    story: tuple[Happening, ...]

    @property
    def names(self) -> frozenset[str]:
        """Of the broken promises."""
        return frozenset(one.invariant for one in self.broken)


def examine(schedule: Schedule) -> Examined:
    """Run a schedule and check every promise."""
    try:
        run = simulate(schedule)
        return Examined(schedule=schedule, broken=broken(run), story=run.story)
    except (Exception, HouseBug) as error:
        how = f"{type(error).__name__}: {_first(error)}"
        return Examined(schedule=schedule, broken=(Broken(CRASH, how),), story=())


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


Examine = Callable[[Schedule], Examined]


def search(seeds: Iterable[int], examine: Examine = examine) -> Examined | None:
    """The first failure, made small; None where every promise holds."""
    for seed in seeds:
        found = examine(draw(seed))
        if found.broken:
            return smallest(found, examine)
    return None


def smallest(found: Examined, examine: Examine = examine) -> Examined:
    """A smaller schedule that breaks one of the same promises."""
    small = shrunk(found.schedule, lambda one: bool(examine(one).names & found.names))
    return examine(small)
