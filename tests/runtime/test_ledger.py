"""What is noted of a request comes out as one event, one header and some numbers."""

import datetime as dt
import json

import trio
from trio.testing import MockClock

from kt.policy import Action, Outcome, Verdict
from kt.runtime.identity import Identity
from kt.runtime.ledger import MAX_NAME, MAX_SPANS, TIMED, Ledger
from kt.runtime.metrics import Metrics
from kt.runtime.settle import Judged, settle
from tests.support.plans import scan_step

KEYS = [
    "id",
    "timestamp",
    "request_id",
    "event_type",
    "verdict",
    "reason_code",
    "policy",
    "model",
    "provider",
    "attempts",
    "status",
    "stream",
    "cache",
    "latency_ms",
    "overhead_ms",
    "policy_chain_ms",
    "ttfb_ms",
    "input_tokens",
    "output_tokens",
    "policies",
    "user",
    "team",
    "config_version",
    "plan",
    "gateway_id",
]


def made(**more: object) -> tuple[dict[str, object], str]:
    """The event and the page of metrics of a request that took ten seconds."""
    metrics = Metrics("d", "1", lambda: 0, lambda: 0)

    async def main() -> dict[str, object]:
        ledger = Ledger(identity=Identity.of({}), digest="d", config_version="c@1")
        for name, value in more.items():
            setattr(ledger, name, value)
        await trio.sleep(10)
        ledger.count(metrics)
        return ledger.event("here")

    event = trio.run(main, clock=MockClock(autojump_threshold=0))
    return event, metrics.page().decode()


def test_an_event_has_the_keys_of_the_design_in_order() -> None:
    event, _ = made()
    assert list(event) == KEYS
    assert json.loads(json.dumps(event)) == event
    stamp = dt.datetime.fromisoformat(str(event["timestamp"]))
    assert stamp.utcoffset() == dt.timedelta(0)


def test_waiting_for_others_is_no_overhead() -> None:
    event, page = made(upstream_wait=6.0, seconds={"queue": 3.0, "input": 0.25})
    assert (event["latency_ms"], event["overhead_ms"]) == (10_000.0, 1_000.0)
    assert 'keeptrusts_gateway_overhead_seconds_sum{phase="input"} 0.25' in page
    assert "keeptrusts_queue_wait_seconds_sum 3.0" in page


def test_the_timing_has_the_order_of_the_design_whatever_came_first() -> None:
    async def main() -> str:
        seconds = dict.fromkeys(reversed(TIMED), 0.001)
        ledger = Ledger(identity=Identity.of({}), digest="", config_version="", seconds=seconds)
        return ledger.server_timing()

    timing = trio.run(main)
    assert timing == ", ".join(f"{name};dur=1.000" for name in TIMED)


def test_the_last_phase_that_decides_something_is_the_verdict() -> None:
    async def main() -> Ledger:
        ledger = Ledger(identity=Identity.of({}), digest="", config_version="")
        redacting, passing = scan_step("a"), scan_step("b")
        ledger.add(settle([Judged(redacting, Verdict(outcome=Outcome.REDACT))]))
        ledger.add(settle([Judged(passing, Verdict(outcome=Outcome.ALLOW))]))
        assert (ledger.verdict, ledger.policy) == (Outcome.REDACT, None)
        blocking = scan_step("c", action=Action.BLOCK)
        ledger.add(settle([Judged(blocking, Verdict(outcome=Outcome.BLOCK))]))
        return ledger

    ledger = trio.run(main)
    assert (ledger.verdict, ledger.policy) == (Outcome.BLOCK, "c")
    assert [one.step.name for one in ledger.judged] == ["a", "b", "c"]


def test_an_event_is_bounded_however_long_names_and_lists_are() -> None:
    verdict = Verdict(outcome=Outcome.REDACT, spans=(16,) * 10**5)
    event, _ = made(model="m" * 10**6, judged=[Judged(scan_step("p"), verdict)])
    assert event["model"] == "m" * MAX_NAME
    assert len(json.dumps(event)) < 2000 + 4 * MAX_SPANS
