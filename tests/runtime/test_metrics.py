"""The page for Prometheus: every name of ours, finite labels, a registry per gateway."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kt.policy import Outcome, Verdict
from kt.runtime.metrics import CONTENT_TYPE, Metrics
from kt.runtime.settle import Judged
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
