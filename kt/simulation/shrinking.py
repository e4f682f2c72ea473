"""From a schedule that breaks a promise to a smaller one that breaks the same promise.

In: a schedule and whether one still breaks it. Out: a schedule of which no part can be left out.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import attrs

from kt.simulation.schedule import Ask, Dialing, Kind, Manner, Provided, Schedule, Text, Visit

T = TypeVar("T")
StillBreaks = Callable[[Schedule], bool]

CALM = Provided()


def shrunk(schedule: Schedule, still_breaks: StillBreaks, most: int = 200) -> Schedule:
    """The smallest that is found in so many runs."""
    left = most
    while left > 0:
        for smaller in _smaller(schedule):
            left -= 1
            if smaller != schedule and still_breaks(smaller):
                schedule = smaller
                break
            if left <= 0:
                return schedule
        else:
            return schedule
    return schedule


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    """Schedules with one thing less, the largest first."""
    yield from (attrs.evolve(schedule, visits=one) for one in _without_one(schedule.visits) if one)
    for name, calm in _CALM_WORLD:
        if getattr(schedule, name) != calm:
            yield attrs.evolve(schedule, **{name: calm})
    for at, visit in enumerate(schedule.visits):
        for smaller in _smaller_visits(visit):
            yield attrs.evolve(schedule, visits=_replaced(schedule.visits, at, smaller))


_CALM_WORLD: tuple[tuple[str, Any], ...] = (
    # Any: whatever the field holds
    ("drain", None),
    ("reload", None),
    ("slow_policy", 0.0),
    ("dialing", (Dialing.OPENS,)),
    ("room", 2**16),
)


def _smaller_visits(visit: Visit) -> Iterator[Visit]:
    yield from (attrs.evolve(visit, asks=one) for one in _without_one(visit.asks) if one)
    if visit.manner is not Manner.STAYS:
        yield attrs.evolve(visit, manner=Manner.STAYS, patience=None, after=0)
    if visit.pipelines:
        yield attrs.evolve(visit, pipelines=False)
    if visit.at:
        yield attrs.evolve(visit, at=0.0)
    for at, ask in enumerate(visit.asks):
        for smaller in _smaller_asks(ask):
            yield attrs.evolve(visit, asks=_replaced(visit.asks, at, smaller))


def _smaller_asks(ask: Ask) -> Iterator[Ask]:
    if ask.attempts != (CALM,):
        yield attrs.evolve(ask, attempts=(CALM,))
    yield from (attrs.evolve(ask, attempts=one) for one in _without_one(ask.attempts) if one)
    if ask.user is not None:
        yield attrs.evolve(ask, user=None)
    for parts in _without_one(ask.text.parts):
        yield attrs.evolve(ask, text=_text(parts))
    for parts in _without_one(ask.says.parts):
        yield attrs.evolve(ask, says=_text(parts))


def _text(parts: tuple[tuple[Kind, str], ...]) -> Text:
    return Text(parts or ((Kind.PLAIN, "a"),))


def _without_one(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    yield from (items[:at] + items[at + 1 :] for at in range(len(items)))


def _replaced(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])
