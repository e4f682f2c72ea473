"""Probe targets in the background, so that one that is down is asked last before anybody waits.

In: upstreams and their health. Out: nothing but `is_healthy`. Never: more than one probe of a
target at once, a probe longer than its timeout.
"""

from collections.abc import Iterable, Mapping

import trio

from kt.errors import GatewayError
from kt.routing.health import TargetHealth
from kt.routing.values import HealthMonitor
from kt.runtime.upstream import TargetUnavailable, Upstream


async def probe_targets(
    upstreams: Iterable[Upstream], health: Mapping[str, TargetHealth], rule: HealthMonitor
) -> None:
    """Probe every target until cancelled."""
    async with trio.open_nursery() as nursery:
        for upstream in upstreams:
            nursery.start_soon(_watch, upstream, health[upstream.target.id], rule)


async def _watch(upstream: Upstream, health: TargetHealth, rule: HealthMonitor) -> None:
    while True:
        health.is_healthy = await is_well(upstream, rule)
        await trio.sleep(rule.interval.seconds)


async def is_well(upstream: Upstream, rule: HealthMonitor) -> bool:
    """Whether a target answers in time, with anything but an error of its own."""
    with trio.move_on_after(rule.timeout.seconds):
        try:
            async with upstream.forward(b"GET", rule.path, {}, b"") as answer:
                return answer.status < 500
        except (TargetUnavailable, GatewayError):
            return False
    return False
