"""The pages about providers: how each target does, and which models there are.

In: the targets' living state. Out: plain data. Never: a secret, an address, a text.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from kt.plan import Plan
from kt.routing.health import TargetHealth
from kt.runtime.upstream import Upstream

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))


def providers_page(
    upstreams: Iterable[Upstream], health: Mapping[str, TargetHealth], now: float
) -> dict[str, Any]:  # Any: JSON is any shape
    """Counts, latencies within the window, circuit and connections of every target."""
    return {"providers": [_row(one, health[one.target.id], now) for one in upstreams]}


def _row(upstream: Upstream, health: TargetHealth, now: float) -> dict[str, Any]:
    counts = upstream.counts
    return {
        "id": health.id,
        "healthy": health.is_healthy,
        "circuit": health.state(now),
        "retry_in_seconds": round(health.retry_in(now), 3),
        "in_flight": health.under_way,
        "attempts": health.asked,
        "succeeded": health.succeeded,
        "failed": health.failed,
        "latency_ms": _latency(health, now),
        "connections": None if counts is None else attrs.asdict(counts),
    }


def _latency(health: TargetHealth, now: float) -> dict[str, Any]:
    found = {name: health.window.quantile(now, share) for name, share in QUANTILES}
    shown = {name: None if one is None else round(one * 1000, 3) for name, one in found.items()}
    return {"samples": len(health.window.values(now)), **shown}


def names_of_models(plan: Plan) -> Iterator[str]:
    """What a client may ask for by name: groups and their aliases, models, else targets."""
    for group in plan.routing.groups:
        yield from (group.name, *group.aliases)
    yield from (target.model or target.id for target in plan.targets)
    yield from (one.model for one in plan.routing.renamings)
