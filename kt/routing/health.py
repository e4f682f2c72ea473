"""What is known of one target while a gateway runs: its circuit, latencies, requests under way.

In: how attempts and probes ended, and when. Out: leave to ask, and numbers for the admin page.
"""

import attrs

from kt.routing.breaker import CircuitBreaker, Permit
from kt.routing.latency import LatencyWindow
from kt.routing.values import Breaker

FREE = Permit(0, is_probe=False)
"""The leave to ask a target without a breaker."""


@attrs.define(eq=False)
class TargetHealth:
    """The living state of one target; never passed between rooms."""

    id: str
    window: LatencyWindow
    breaker: CircuitBreaker | None = None
    under_way: int = 0
    asked: int = 0
    succeeded: int = 0
    failed: int = 0
    is_healthy: bool = True
    """What the last background probe said."""

    @classmethod
    def of(cls, name: str, breaker: Breaker | None, window: float) -> "TargetHealth":
        """The state of a target that was never asked."""
        return cls(
            name, LatencyWindow(window), None if breaker is None else CircuitBreaker(breaker)
        )

    def admits(self, now: float) -> bool:
        """Whether it may be asked."""
        return self.breaker is None or self.breaker.admits(now)

    def admit(self, now: float) -> Permit | None:
        """Leave for one attempt, to be given back by `passed`, `failure` or `dropped`."""
        permit = FREE if self.breaker is None else self.breaker.admit(now)
        if permit is not None:
            self.asked += 1
            self.under_way += 1
        return permit

    def leave(self) -> None:
        """The attempt is over, however it ended."""
        self.under_way -= 1

    def passed(self, permit: Permit) -> None:
        """The target did what it is for."""
        self.succeeded += 1
        if self.breaker is not None:
            self.breaker.passed(permit)

    def failure(self, permit: Permit, now: float) -> None:
        """The target failed."""
        self.failed += 1
        if self.breaker is not None:
            self.breaker.failed(permit, now)

    def dropped(self, permit: Permit) -> None:
        """The attempt says nothing about the target."""
        if self.breaker is not None:
            self.breaker.dropped(permit)

    def state(self, now: float) -> str:
        """The state of its circuit; one without a breaker is always closed."""
        return "closed" if self.breaker is None else self.breaker.state(now)

    def retry_in(self, now: float) -> float:
        """Seconds until it may be asked again."""
        return 0.0 if self.breaker is None else self.breaker.retry_in(now)
