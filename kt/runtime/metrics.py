"""Numbers for Prometheus: the only room that knows prometheus_client.

Labels come only from finite sets: the plan's policies, targets and phases, our codes and verdicts,
and HTTP statuses.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import attrs
import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kt.routing.health import TargetHealth
from kt.runtime.settle import Judged
from kt.transport.pool import PoolCounts

PREFIX = "keeptrusts_"
CIRCUITS = ("closed", "half_open", "open")
"""The states of a circuit, each at its number."""
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

RELOAD_RESULTS = ("activated", "failed")
"""What a reload can come to."""

_REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SHORT = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.05, 0.25)
_REQUEST_LABELS = ("status", "verdict", "provider")
_CHECK_LABELS = ("policy", "phase", "verdict")
_HELD_BYTES = (0, 16, 64, 256, 1024, 4096, 16384, 65536)


class Metrics:
    """The metrics of one gateway; each gateway has a registry of its own."""

    def __init__(
        self, digest: str, version: str, running: Callable[[], int], waiting: Callable[[], int]
    ) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests answered", _REQUEST_LABELS)
        self.evaluations = self._counter(
            "policy_evaluations", "Policy checks by what they answered", _CHECK_LABELS
        )
        self.events_dropped = self._counter("events_dropped", "Events that were not written")
        self.duration = self._histogram(
            "request_duration_seconds", "From request to answer", _REQUEST_SECONDS, ["provider"]
        )
        self.policy_duration = self._histogram(
            "policy_duration_seconds", "Time in one policy's check", _SHORT, ["policy", "phase"]
        )
        self.overhead = self._histogram(
            "gateway_overhead_seconds", "Time that the gateway added", _SHORT, ["phase"]
        )
        self.held = self._histogram(
            "stream_held_bytes", "The most streamed text held back at once", _HELD_BYTES
        )
        self.queue_wait = self._histogram(
            "queue_wait_seconds", "Time in the queue", _SHORT + _REQUEST_SECONDS[3:]
        )
        self._gauge("inflight_requests", "Requests that hold a slot").set_function(running)
        self._gauge("queue_depth", "Requests that wait for a slot").set_function(waiting)
        self._connections = self._gauge(
            "upstream_connections",
            "Connections to a target, and requests that wait for one",
            ["target", "state"],
        )
        self._circuits = self._gauge(
            "circuit_state", "0: asked, 1: being tried again, 2: left alone", ["target"]
        )
        self._circuits_of: dict[str, list[TargetHealth]] = {}
        self._watched: dict[str, list[Callable[[], PoolCounts | None]]] = {}
        """Target -> the pools to it: while plans change, the old one's and the new one's."""
        self.reloads = self._counter("config_reload", "Reloads by what they came to", ["result"])
        for result in RELOAD_RESULTS:
            self.reloads.labels(result)
        self._info = self._gauge("plan_info", "The plan that runs", ["digest", "version"])
        self.runs(digest, version)

    def runs(self, digest: str, version: str) -> None:
        """Say which plan runs from now on."""
        self._info.clear()
        self._info.labels(digest, version).set(1)

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return Histogram(PREFIX + name, text, labels, buckets=buckets, registry=self._registry)

    @contextmanager
    def connections(self, target: str, counts: Callable[[], PoolCounts | None]) -> Iterator[None]:
        """Show a target's connections in every scrape, while the block runs."""
        pools = self._watched.setdefault(target, [])
        pools.append(counts)
        if counts() is not None:  # None: httpx keeps them
            for field in attrs.fields(PoolCounts):
                gauge = self._connections.labels(target, field.name)
                gauge.set_function(partial(_sum, pools, field.name))
        try:
            yield
        finally:
            pools.remove(counts)
            if not pools:
                del self._watched[target]
                self._forget(target)

    @contextmanager
    def circuit(self, health: TargetHealth) -> Iterator[None]:
        """Show the state of a target's circuit in every scrape, while the block runs."""
        shown = self._circuits_of.setdefault(health.id, [])
        shown.append(health)
        self._circuits.labels(health.id).set_function(partial(_circuit, shown))
        try:
            yield
        finally:
            shown.remove(health)
            if not shown:
                del self._circuits_of[health.id]
                self._circuits.remove(health.id)

    def _forget(self, target: str) -> None:
        for field in attrs.fields(PoolCounts):
            self._connections.remove(target, field.name)

    def judged(self, one: Judged) -> None:
        """Count one policy check."""
        phase = one.step.phase.value
        self.evaluations.labels(one.step.name, phase, one.verdict.outcome.value).inc()
        self.policy_duration.labels(one.step.name, phase).observe(one.seconds)

    def page(self) -> bytes:
        """The text that a scrape gets."""
        return generate_latest(self._registry)


def _circuit(shown: Sequence[TargetHealth]) -> float:
    return float(CIRCUITS.index(shown[-1].state(trio.current_time())))


def _sum(pools: Sequence[Callable[[], PoolCounts | None]], state: str) -> float:
    counts = (counted for pool in pools if (counted := pool()) is not None)
    return float(sum(getattr(counted, state) for counted in counts))
