"""The attempts of one request: who is asked first, and what follows a failure.

In: candidates in order, the rules, how attempts failed, and when. Out: the next attempt with the
wait before it, or none. Never: a wait that cannot end before the deadline, a retry without leave of
the budget, a target asked that its circuit breaker holds back.
"""

from collections.abc import Iterable

import attrs

from kt.routing.backoff import Chance, RetryBudget, delay
from kt.routing.breaker import Permit
from kt.routing.strategies import Candidate, Candidates
from kt.routing.values import STATUSES, Routing, Trigger


@attrs.frozen
class Failure:
    """Why an attempt brought no answer for the client."""

    triggers: frozenset[Trigger]
    """What it counts as."""
    was_sent: bool = True
    """Whether the target may have acted on the request. What was not sent is always tried on."""
    advised: float | None = None
    """Seconds that the target asks to be left alone."""


NOT_SENT = Failure(frozenset(), was_sent=False)
NO_HEAD = Failure(frozenset({Trigger.TIMEOUT}))
BROKEN = Failure(frozenset({Trigger.SERVER_ERROR, Trigger.BAD_GATEWAY}))


def status_failure(status: int, advised: float | None = None) -> Failure | None:
    """What a status counts as; None for one that is the client's business."""
    if 300 <= status < 400:
        return Failure(frozenset({Trigger.SERVER_ERROR}))
    found = frozenset(one for one, statuses in STATUSES.items() if status in statuses)
    return Failure(found, advised=advised) if found else None


@attrs.frozen
class Attempt:
    """One target, asked once, with leave of its breaker."""

    candidate: Candidate
    permit: Permit
    wait: float = 0.0
    """Seconds before it."""


class Course:
    """The way of one request through its candidates."""

    def __init__(
        self,
        candidates: Candidates,
        rules: Routing,
        budget: RetryBudget,
        chance: Chance,
        deadline: float,
    ) -> None:
        self.candidates = candidates
        self._left = list(reversed(candidates))
        self._rules = rules
        self._budget = budget
        self._chance = chance
        self._deadline = deadline
        self._targets = 0
        self._tries = 0
        """Of the target that is being asked."""
        self._waiting: Attempt | None = None
        """Has leave, and has not begun."""
        self.attempts = 0

    def first(self, now: float) -> Attempt | None:
        """The first attempt; None where every circuit is open, or nobody can be asked."""
        self._budget.earn(now)
        return self._next_target(now)

    def after(self, attempt: Attempt, failure: Failure, now: float) -> Attempt | None:
        """What follows a failure; None: nothing does, and it stands."""
        return self._again(attempt, failure, now) or self._elsewhere(failure, now)

    def begin(self, attempt: Attempt) -> None:
        """The attempt begins now: from here on its leave is given back by who makes it."""
        if self._waiting is attempt:
            self._waiting = None

    def close(self) -> None:
        """Give back the leave of an attempt that never began."""
        if self._waiting is not None:
            self._waiting.candidate.health.dropped(self._waiting.permit)
            self._waiting.candidate.health.leave()
            self._waiting = None

    def _again(self, attempt: Attempt, failure: Failure, now: float) -> Attempt | None:
        rule = self._rules.retry
        if rule is None or self._tries >= rule.attempts.value:
            return None
        if failure.was_sent and not failure.triggers & rule.triggers:
            return None
        wait = delay(rule, self._tries, self._chance, failure.advised)
        is_possible = now + wait < self._deadline and attempt.candidate.health.admits(now)
        if not is_possible or not self._budget.spend(now):
            return None
        return self._begun(attempt.candidate, now, wait)

    def _elsewhere(self, failure: Failure, now: float) -> Attempt | None:
        rule = self._rules.fallback
        if rule is not None and self._targets > rule.attempts.value:
            return None
        triggers = frozenset[Trigger]() if rule is None else rule.triggers
        if failure.was_sent and not failure.triggers & triggers:
            return None
        return self._next_target(now)

    def _next_target(self, now: float) -> Attempt | None:
        while self._left:
            attempt = self._begun(self._left.pop(), now)
            if attempt is not None:
                self._targets += 1
                self._tries = 1
                return attempt
        return None

    def _begun(self, candidate: Candidate, now: float, wait: float = 0.0) -> Attempt | None:
        permit = candidate.health.admit(now)
        if permit is None:
            return None
        self._tries += 1
        self.attempts += 1
        self._waiting = Attempt(candidate, permit, wait)
        return self._waiting


def soonest(candidates: Iterable[Candidate], now: float) -> float:
    """Seconds until the first circuit of several may be tried."""
    return min((one.health.retry_in(now) for one in candidates), default=0.0)
