"""What happened to one request: filled in on its way, read once when it is over.

Out: the event (one JSON object, never any text), the metrics, the `server-timing` header. The only
room that reads the wall clock.
"""

import datetime as dt
from collections.abc import Callable

import attrs
import trio

from kt.filters.facts import FilterFacts
from kt.policy import Outcome
from kt.runtime.access import ANYBODY, Caller
from kt.runtime.conditions import NO_FACTS
from kt.runtime.entrance import Used
from kt.runtime.identity import Identity, new_event_id
from kt.runtime.metrics import Metrics
from kt.runtime.settle import Decision, Judged


def wall_clock() -> Callable[[], float]:
    """Seconds since the epoch, from the time of day as it is now on: it never goes back."""
    offset = dt.datetime.now(dt.UTC).timestamp() - trio.current_time()
    return lambda: offset + trio.current_time()


TIMED = ("queue", "input", "route", "pool", "connect", "upstream", "output")
"""The parts of a request's time, in the order of `server-timing`."""

MAX_NAME = 200
"""How much of a model's name an event keeps: a client may call it what it likes."""
MAX_SPANS = 100
"""How many span lengths of one policy an event keeps: a large body may hold a million."""


@attrs.define(kw_only=True)
class Ledger:
    """The record of one request."""

    identity: Identity
    digest: str
    """The digest of the plan that decided."""
    config_version: str
    caller: Caller = ANYBODY
    started: float = attrs.field(factory=trio.current_time)
    facts: FilterFacts = NO_FACTS
    """What the plan's conditions ask about, as far as it is known yet."""
    model: str | None = None
    provider: str | None = None
    attempts: int = 0
    """How often a provider was asked."""
    status: int = 0
    stream: bool = False
    verdict: Outcome = Outcome.ALLOW
    code: str | None = None
    """The reason code: a row of REFUSALS, `client_closed`, or what the provider ended with."""
    policy: str | None = None
    judged: list[Judged] = attrs.field(factory=list)
    seconds: dict[str, float] = attrs.field(factory=dict)
    first_byte: float | None = None
    upstream_wait: float = 0.0
    most_held: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    asked: int = 0
    """Bytes of the request's body."""
    answered: int = 0
    """Bytes of an answer that was sent whole."""
    events: int = 0
    """Events of a streamed answer that were sent."""

    def add(self, decision: Decision) -> None:
        """Note the verdicts of a phase and what they came to."""
        self.judged += decision.judged
        if decision.outcome is not Outcome.ALLOW:
            self.verdict = decision.outcome
        if decision.step is not None:
            self.policy = decision.step.name

    def used(self) -> Used:
        """What this request came to, for limits on tokens."""
        given = [one for one in (self.input_tokens, self.output_tokens) if one is not None]
        was_refused = self.status >= 400 and not self.events
        return Used(
            code=self.code,
            tokens=sum(given) if given else None,
            asked=self.asked,
            answered=0 if was_refused else self.answered,
            events=self.events,
        )

    def server_timing(self) -> str:
        """The header's value: milliseconds of each part that is over."""
        return ", ".join(
            f"{part};dur={self.seconds[part] * 1000:.3f}" for part in TIMED if part in self.seconds
        )

    def count(self, metrics: Metrics) -> None:
        """Add this request to the metrics."""
        provider = self.provider or "none"
        metrics.requests.labels(str(self.status), self.verdict.value, provider).inc()
        metrics.duration.labels(provider).observe(self._elapsed())
        metrics.overhead.labels("total").observe(self._overhead())
        for part in ("input", "route", "output"):
            if part in self.seconds:
                metrics.overhead.labels(part).observe(self.seconds[part])
        if "queue" in self.seconds:
            metrics.queue_wait.observe(self.seconds["queue"])
        if self.most_held is not None:
            metrics.held.observe(self.most_held)
        for one in self.judged:
            metrics.judged(one)

    def event(self, gateway_id: str) -> dict[str, object]:
        """The event of design section 8: rule ids and span lengths, never what they matched."""
        return {
            "id": new_event_id(),
            "timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "request_id": self.identity.request_id,
            "event_type": "decision",
            "verdict": self.verdict.value,
            "reason_code": self.code,
            "policy": self.policy,
            "model": self.model if self.model is None else self.model[:MAX_NAME],
            "provider": self.provider,
            "attempts": self.attempts,
            "status": self.status,
            "stream": self.stream,
            "cache": "bypass",
            "latency_ms": _ms(self._elapsed()),
            "overhead_ms": _ms(self._overhead()),
            "policy_chain_ms": _ms(sum(one.seconds for one in self.judged)),
            "ttfb_ms": None if self.first_byte is None else _ms(self.first_byte - self.started),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "policies": [_judged(one) for one in self.judged],
            "user": self.identity.user,
            "team": self.identity.team,
            "config_version": self.config_version,
            "plan": self.digest,
            "gateway_id": gateway_id,
        }

    def _elapsed(self) -> float:
        return trio.current_time() - self.started

    def _overhead(self) -> float:
        return max(0.0, self._elapsed() - self.upstream_wait - self.seconds.get("queue", 0.0))


def _judged(one: Judged) -> dict[str, object]:
    return {
        "name": one.step.name,
        "phase": one.step.phase.value,
        "verdict": one.verdict.outcome.value,
        "latency_ms": _ms(one.seconds),
        "rule": one.verdict.rule,
        "spans": list(one.verdict.spans[:MAX_SPANS]),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
