"""The bound of metric series: every metric with labels has one, and requests stay below it."""

import re
from collections import Counter

import attrs

from kt.errors import REFUSALS
from kt.explain.cardinality import PASSED_ON, cardinality, cardinality_text
from kt.policy import Action, Outcome, Phase
from kt.runtime.metrics import Metrics
from tests.support.asgi import ask
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step, target
from tests.support.upstreams import FakeProvider, completion, json_answer

LABELED = re.compile(r"^(keeptrusts_\w+?)(?:_created|_bucket|_sum|_count)?\{(.*?)\} ", re.MULTILINE)


def combinations(page: str) -> Counter[str]:
    """How many label combinations each metric of a page has."""
    found = {
        (name.removesuffix("_total"), re.sub(r',?le="[^"]*"', "", labels).strip(","))
        for name, labels in LABELED.findall(page)
    }
    return Counter(name for name, labels in found if labels)


def test_requests_of_every_kind_stay_below_the_bound() -> None:
    steps = (
        scan_step("blocks", "bad", action=Action.BLOCK, phase=Phase.INPUT),
        scan_step("edits", "x", order=1),
    )
    whole = plan(*steps, targets=(target("a"),))
    most = {one.metric.removesuffix("_total"): one.most for one in cardinality(whole)}

    async def main() -> None:
        async with gateway(whole, FakeProvider(lambda _: json_answer(completion("x")))) as app:
            for text in ("bad", "fine", "fine"):
                await chat(app, text)
            page = (await ask(app, "GET", "/metrics", [], b"")).body.decode()
        there = combinations(page)
        assert there.keys() == most.keys() - {"keeptrusts_upstream_connections"}
        assert all(there[name] <= most[name] for name in there)
        assert there["keeptrusts_requests"] == 2

    run_in_virtual_time(main)


def test_whatever_status_a_provider_has_the_statuses_stay_below_the_bound() -> None:
    possible = PASSED_ON.union(row.status for row in REFUSALS.values())
    statuses = iter(range(200, 1000))
    provider = FakeProvider(lambda _: json_answer(completion("x"), next(statuses)))

    async def main() -> None:
        async with gateway(plan(), provider) as app:
            answers = [await chat(app, "hello") for _ in range(200, 1000)]
            page = (await ask(app, "GET", "/metrics", [], b"")).body.decode()
        labels = set(map(int, re.findall(r'requests_total\{.*status="(\d+)"', page)))
        assert labels == {one.status for one in answers}
        assert labels <= possible
        assert PASSED_ON - {401, 403} <= labels
        assert f"{len(possible)} statuses" in cardinality_text(plan())

    run_in_virtual_time(main)


def test_every_label_of_checks_is_reached_and_none_beyond() -> None:
    """Each step with each outcome that it can have: the bound counts more, and never less."""
    steps = [scan_step(one.value, one.value, action=one, order=at) for at, one in enumerate(Action)]
    whole = plan(*(attrs.evolve(one, phase=Phase.INPUT) for one in steps))
    (most,) = (one.most for one in cardinality(whole) if "evaluations" in one.metric)
    assert most == len(Action) * len(Outcome)

    async def main() -> None:
        async with gateway(whole, FakeProvider(lambda _: json_answer(completion("x")))) as app:
            for text in ("nothing", *(one.value for one in Action)):
                await chat(app, text)
            page = (await ask(app, "GET", "/metrics", [], b"")).body.decode()
        there = combinations(page)
        assert there["keeptrusts_policy_evaluations"] == 2 * len(Action)
        assert there["keeptrusts_policy_duration_seconds"] == len(Action)

    run_in_virtual_time(main)


def test_every_metric_with_labels_has_a_bound() -> None:
    registry = Metrics("digest", "1.0.0", lambda: 0, lambda: 0)
    labeled = {
        family._name for family in vars(registry).values() if getattr(family, "_labelnames", ())
    }
    listed = {one.metric.removesuffix("_total") for one in cardinality(plan())}
    assert labeled <= listed
    assert len(labeled) == 9


def test_the_table_says_where_the_numbers_come_from() -> None:
    text = cardinality_text(plan(targets=(target("a"), target("b"))))
    assert "3 providers" in text
    assert text.count("\n") == 10
