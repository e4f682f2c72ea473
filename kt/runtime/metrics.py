"""Numbers for Prometheus: the only room that knows prometheus_client.

Labels come only from finite sets: the plan's policies, targets and phases, our codes and verdicts,
and HTTP statuses.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kt.runtime.settle import Judged

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_OVERHEAD_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.05, 0.25)
_HELD_BYTES = (0, 16, 64, 256, 1024, 4096, 16384, 65536)


class Metrics:
    """The metrics of one gateway; each gateway has a registry of its own."""

    def __init__(
        self, digest: str, version: str, running: Callable[[], int], waiting: Callable[[], int]
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "keeptrusts_requests",
            "Requests answered",
            ["status", "verdict", "provider"],
            registry=registry,
        )
        self.duration = Histogram(
            "keeptrusts_request_duration_seconds",
            "From request received to answer complete",
            ["provider"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self.evaluations = Counter(
            "keeptrusts_policy_evaluations",
            "Policy checks by what they answered",
            ["policy", "phase", "verdict"],
            registry=registry,
        )
        self.policy_duration = Histogram(
            "keeptrusts_policy_duration_seconds",
            "Time in one policy's check",
            ["policy", "phase"],
            buckets=_OVERHEAD_SECONDS,
            registry=registry,
        )
        self.overhead = Histogram(
            "keeptrusts_gateway_overhead_seconds",
            "Time that the gateway added",
            ["phase"],
            buckets=_OVERHEAD_SECONDS,
            registry=registry,
        )
        self.held = Histogram(
            "keeptrusts_stream_held_bytes",
            "The most text of a streamed answer that was held back at once",
            buckets=_HELD_BYTES,
            registry=registry,
        )
        self.queue_wait = Histogram(
            "keeptrusts_queue_wait_seconds",
            "Time in the queue",
            buckets=_OVERHEAD_SECONDS + _REQUEST_SECONDS[3:],
            registry=registry,
        )
        self.events_dropped = Counter(
            "keeptrusts_events_dropped",
            "Events that found the sink's queue full",
            registry=registry,
        )
        Gauge(
            "keeptrusts_inflight_requests", "Requests that hold a slot", registry=registry
        ).set_function(running)
        Gauge(
            "keeptrusts_queue_depth", "Requests that wait for a slot", registry=registry
        ).set_function(waiting)
        Gauge(
            "keeptrusts_plan_info", "The plan that runs", ["digest", "version"], registry=registry
        ).labels(digest, version).set(1)

    def judged(self, one: Judged) -> None:
        """Count one policy check."""
        phase = one.step.phase.value
        self.evaluations.labels(one.step.name, phase, one.verdict.outcome.value).inc()
        self.policy_duration.labels(one.step.name, phase).observe(one.seconds)

    def page(self) -> bytes:
        """The text that a scrape gets."""
        return generate_latest(self._registry)
