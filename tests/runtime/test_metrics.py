"""The page for Prometheus: every name of ours, finite labels, a registry per gateway."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kt.policy import Outcome, Verdict
from kt.runtime.metrics import CONTENT_TYPE, Metrics
from kt.runtime.settle import Judged
from kt.transport.pool import PoolCounts
from tests.support.plans import scan_step


def families(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The samples by name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(metrics.page().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_the_page_is_text_that_prometheus_reads() -> None:
    found = families(Metrics("abc", "1.0", lambda: 3, lambda: 4))
    assert found["keeptrusts_inflight_requests"] == [({}, 3.0)]
    assert found["keeptrusts_queue_depth"] == [({}, 4.0)]
    assert found["keeptrusts_plan_info"] == [({"digest": "abc", "version": "1.0"}, 1.0)]
    assert CONTENT_TYPE.startswith(b"text/plain; version=0.0.4")
    assert all(re.match("keeptrusts_", name) for name in found)


@pytest.mark.parametrize("outcome", Outcome)
def test_each_check_is_counted_by_its_outcome(outcome: Outcome) -> None:
    metrics = Metrics("", "", lambda: 0, lambda: 0)
    metrics.judged(Judged(scan_step("p"), Verdict(outcome=outcome), 0.5))
    found = families(metrics)
    labels = {"policy": "p", "phase": "output", "verdict": outcome.value}
    assert (labels, 1.0) in found["keeptrusts_policy_evaluations_total"]
    del labels["verdict"]
    assert (labels, 0.5) in found["keeptrusts_policy_duration_seconds_sum"]


def test_two_gateways_do_not_share_their_numbers() -> None:
    one, other = (Metrics("", "", lambda: 0, lambda: 0) for _ in range(2))
    one.events_dropped.inc()
    assert families(one)["keeptrusts_events_dropped_total"] == [({}, 1.0)]
    assert families(other)["keeptrusts_events_dropped_total"] == [({}, 0.0)]


def test_only_the_plan_that_runs_is_named() -> None:
    metrics = Metrics("old", "1", lambda: 0, lambda: 0)
    metrics.runs("new", "2")
    found = families(metrics)["keeptrusts_plan_info"]
    assert found == [({"digest": "new", "version": "2"}, 1.0)]


def test_while_plans_change_the_connections_of_both_are_counted() -> None:
    metrics = Metrics("", "", lambda: 0, lambda: 0)
    labels = {"target": "t", "state": "idle"}

    def idle() -> list[float]:
        samples = families(metrics).get("keeptrusts_upstream_connections", [])
        return [value for found, value in samples if found == labels]

    old = metrics.connections("t", lambda: PoolCounts(connecting=0, idle=2, in_use=0, waiting=0))
    new = metrics.connections("t", lambda: PoolCounts(connecting=0, idle=3, in_use=0, waiting=0))
    with new:
        with old:
            assert idle() == [5.0]
        assert idle() == [3.0]
    assert idle() == []


def test_a_reload_is_counted_from_the_first_scrape_on() -> None:
    metrics = Metrics("", "", lambda: 0, lambda: 0)
    metrics.reloads.labels("activated").inc()
    found = families(metrics)["keeptrusts_config_reload_total"]
    assert found == [({"result": "activated"}, 1.0), ({"result": "failed"}, 0.0)]
