"""The circuit breaker of one target: closed, open after failures in a row, half-open to probe.

In: a rule, the time, how attempts ended. Out: leave to ask, or none. Never: a result counted that
belongs to an attempt from before the circuit last changed; a cancelled attempt counted at all.
"""

import attrs

from kt.routing.values import Breaker as BreakerRule


@attrs.frozen(eq=False)
class Permit:
    """Leave for one attempt; it is given back exactly once, and later returns mean nothing."""

    era: int
    is_probe: bool


class CircuitBreaker:
    """The state machine. An era ends whenever the circuit opens, half-opens or closes."""

    def __init__(self, rule: BreakerRule) -> None:
        self._rule = rule
        self._era = 0
        self._failures = 0
        self._opened: float | None = None
        self._passed = 0
        """Probes of this era that succeeded."""
        self._out: set[Permit] = set()
        """Probes of this era that are under way."""
        self._is_half_open = False

    def __repr__(self) -> str:
        return f"<CircuitBreaker era {self._era}, {self._failures} failures>"

    def state(self, now: float) -> str:
        """`closed`, `open` or `half_open`."""
        if self._opened is None:
            return "half_open" if self._is_half_open else "closed"
        return "half_open" if self.retry_in(now) <= 0.0 else "open"

    def retry_in(self, now: float) -> float:
        """Seconds until it may be asked again, as far as is known; 0 where it may now."""
        if self._opened is None:
            return 0.0
        return max(0.0, self._opened + self._rule.cooldown.seconds - now)

    def admits(self, now: float) -> bool:
        """Whether `admit` would give leave."""
        state = self.state(now)
        if state != "half_open":
            return state == "closed"
        under_way = len(self._out) if self._is_half_open else 0
        return under_way + self._passed * self._is_half_open < self._rule.probes.value

    def admit(self, now: float) -> Permit | None:
        """Leave for an attempt; None while the circuit is open or its probes are under way."""
        if not self.admits(now):
            return None
        if self._opened is not None:
            self._change(is_half_open=True)
        permit = Permit(self._era, self._is_half_open)
        if permit.is_probe:
            self._out.add(permit)
        return permit

    def passed(self, permit: Permit) -> None:
        """The attempt succeeded."""
        if not self._counts(permit):
            return
        self._failures = 0
        if permit.is_probe:
            self._out.discard(permit)
            self._passed += 1
            if self._passed >= self._rule.probes.value:
                self._change(is_half_open=False)

    def failed(self, permit: Permit, now: float) -> None:
        """The attempt failed."""
        if not self._counts(permit):
            return
        self._failures += 1
        if permit.is_probe or self._failures >= self._rule.failures.value:
            self._change(is_half_open=False)
            self._opened = now

    def dropped(self, permit: Permit) -> None:
        """The attempt came to no result: its client left, or it says nothing about the target."""
        self._out.discard(permit)

    def _counts(self, permit: Permit) -> bool:
        is_of_now = permit.era == self._era
        return is_of_now and (not permit.is_probe or permit in self._out)

    def _change(self, *, is_half_open: bool) -> None:
        self._era += 1
        self._is_half_open = is_half_open
        self._opened, self._failures, self._passed = None, 0, 0
        self._out = set()
