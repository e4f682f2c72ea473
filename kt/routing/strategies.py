"""The order in which the candidates of one request are asked.

In: candidates with what is known of their targets, chance, a turn. Out: the same candidates, each
once. Those whose background probe failed come last, whatever the strategy: they are still better
than nothing.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from kt.routing.backoff import Chance
from kt.routing.health import TargetHealth
from kt.routing.values import Strategy


@attrs.frozen
class Candidate:
    """A target that may be asked, and by which name of the model."""

    health: TargetHealth
    model: str | None
    """None keeps the request's."""
    weight: float = 1.0


@attrs.frozen(kw_only=True)
class Moment:
    """What an order depends on besides the candidates."""

    now: float
    turn: int
    """Counts the requests of one scope."""
    chance: Chance
    min_samples: int


Candidates = tuple[Candidate, ...]


def ordered(strategy: Strategy, candidates: Candidates, moment: Moment) -> Candidates:
    """The candidates in the order in which they are asked."""
    found = ORDERS.get(strategy, _declared)(candidates, moment)
    return tuple(sorted(found, key=lambda one: not one.health.is_healthy))


def _declared(candidates: Candidates, _: Moment) -> Candidates:
    return candidates


def _rotated(candidates: Candidates, moment: Moment) -> Candidates:
    at = moment.turn % len(candidates) if candidates else 0
    return candidates[at:] + candidates[:at]


def _drawn(candidates: Candidates, moment: Moment) -> Candidates:
    """Drawn one after the other in proportion to their weights (Efraimidis and Spirakis)."""

    def key(one: Candidate) -> float:
        drawn = moment.chance()
        return drawn ** (1.0 / one.weight) if one.weight > 0.0 else -1.0

    keys = [key(one) for one in candidates]
    by_key = sorted(range(len(candidates)), key=lambda at: (-keys[at], at))
    return tuple(candidates[at] for at in by_key)


def _shuffled(candidates: Candidates, moment: Moment) -> Candidates:
    return tuple(sorted(candidates, key=lambda _: moment.chance()))


def _fastest(candidates: Candidates, moment: Moment) -> Candidates:
    def key(one: Candidate) -> float:
        mean = one.health.window.mean(moment.now, moment.min_samples)
        return -1.0 if mean is None else mean

    return tuple(sorted(candidates, key=key))


def _idlest(candidates: Candidates, _: Moment) -> Candidates:
    return tuple(sorted(candidates, key=lambda one: one.health.under_way))


ORDERS: Mapping[Strategy, Callable[[Candidates, Moment], Candidates]] = MappingProxyType(
    {
        Strategy.ORDERED: _declared,
        Strategy.ROUND_ROBIN: _rotated,
        Strategy.WEIGHTED: _drawn,
        Strategy.RANDOM: _shuffled,
        Strategy.LOWEST_LATENCY: _fastest,
        Strategy.LEAST_BUSY: _idlest,
    }
)
"""What is performed; anything else is as declared, where somebody allowed that at the start."""
