"""How long to wait before asking again, and how often everybody together may.

In: a rule, what the provider advised, chance. Out: seconds, or leave. Never: a clock of its own.
"""

from collections.abc import Callable

from kt.routing.values import Retry

Chance = Callable[[], float]
"""Draws a number from 0 up to, and without, 1."""

SHARE = 0.2
"""Retries per request that a gateway earns."""
FLOOR_PER_SECOND = 1.0
"""Retries that it earns as time passes, so that a quiet gateway retries at all."""
SAVED = 10.0
"""How many it can have saved up: a storm is over after so many."""


def delay(rule: Retry, retry: int, chance: Chance, advised: float | None = None) -> float:
    """Seconds before a retry, counted from one; a provider's advice is a least, up to max_delay."""
    most = rule.max_delay.seconds
    grown = _grown(rule, retry)
    drawn = chance() * grown if rule.jitter else grown
    return drawn if advised is None else min(most, max(advised, drawn))


def most_delay(rule: Retry, retry: int) -> float:
    """The longest that `delay` can be."""
    return max(_grown(rule, retry), rule.max_delay.seconds)


def _grown(rule: Retry, retry: int) -> float:
    most, seconds = rule.max_delay.seconds, rule.initial_delay.seconds
    for _ in range(retry - 1):
        if seconds >= most:
            break
        seconds *= rule.multiplier
    return min(most, seconds)


class RetryBudget:
    """What keeps a provider's trouble from being multiplied by everybody's retries.

    Retries up to any moment are at most SAVED + SHARE of the requests + FLOOR_PER_SECOND.
    """

    def __init__(self, now: float) -> None:
        self._tokens = SAVED
        self._since = now

    def __repr__(self) -> str:
        return f"<RetryBudget {self._tokens:.1f}>"

    def earn(self, now: float) -> None:
        """A request came."""
        self._pass_time(now)
        self._tokens = min(SAVED, self._tokens + SHARE)

    def spend(self, now: float) -> bool:
        """Take leave for one retry; False where there is none."""
        self._pass_time(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _pass_time(self, now: float) -> None:
        earned = max(0.0, now - self._since) * FLOOR_PER_SECOND
        self._tokens = min(SAVED, self._tokens + earned)
        self._since = max(self._since, now)
