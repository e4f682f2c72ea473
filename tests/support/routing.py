"""Small routing rules, and targets with them."""

from kt.limits import Count, Limit
from kt.routing.health import TargetHealth
from kt.routing.values import Breaker, Fallback, Retry, Trigger

ALL = frozenset(Trigger)


def retry(
    *,
    attempts: int = 3,
    initial: float = 0.5,
    most: float = 10.0,
    jitter: bool = False,
    triggers: frozenset[Trigger] = ALL,
) -> Retry:
    """A rule that doubles its waits."""
    return Retry(
        attempts=Count(attempts, origin="test"),
        initial_delay=Limit(initial, origin="test"),
        max_delay=Limit(most, origin="test"),
        multiplier=2.0,
        jitter=jitter,
        triggers=triggers,
    )


def fallback(attempts: int = 3, triggers: frozenset[Trigger] = ALL) -> Fallback:
    """A rule for further targets."""
    return Fallback(attempts=Count(attempts, origin="test"), triggers=triggers)


def breaker(failures: int = 3, cooldown: float = 10.0, probes: int = 1) -> Breaker:
    """A rule for one target."""
    return Breaker(
        failures=Count(failures, origin="test"),
        cooldown=Limit(cooldown, origin="test"),
        probes=Count(probes, origin="test"),
    )


def healths(*names: str, rule: Breaker | None = None) -> tuple[TargetHealth, ...]:
    """Targets that were never asked."""
    return tuple(TargetHealth.of(name, rule, 60.0) for name in names)
