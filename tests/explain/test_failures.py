"""The table of failures: what it says is what the gateway does."""

import attrs

from kt.explain.failures import ADMISSION, UPSTREAM, failures, failures_text
from kt.policy import Action, OnTrouble, Phase
from tests.support.plans import ASK, ask_step, plan, record_step, scan_step, target


def gates(*steps: object) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one.node, one.trouble): (one.seen, one.gate) for one in failures(plan(*steps))}  # type: ignore[arg-type]


def test_trouble_closes_or_opens_the_gate_as_the_policy_says() -> None:
    closed = scan_step("closed", "a", phase=Phase.INPUT)
    opened = attrs.evolve(closed, name="opened", on_trouble=OnTrouble.ALLOW)
    rows = gates(closed, opened)
    for trouble in ("late", "failed", "unevaluable"):
        assert rows["input closed", trouble][1] == "closed"
        assert rows["input opened", trouble] == ("goes on as if it allowed", "open")
    assert ("input closed", "block") not in rows


def test_actions_are_rows_where_they_refuse() -> None:
    block = scan_step("b", "a", action=Action.BLOCK)
    escalate = scan_step("e", "a", action=Action.ESCALATE)
    flag = scan_step("f", "a", action=Action.FLAG)
    rows = gates(block, escalate, flag, record_step())
    assert "409 policy_violation / output_blocked" in rows["output b", "block"][0]
    assert "escalation_required" in rows["output e", "escalate"][0]
    assert ("output b", "a hold reaches its cap") in rows
    assert ("output f", "a hold reaches its cap") not in rows
    assert not any("audit" in node for node, _ in rows)


def test_a_condition_stands_at_every_row_of_its_step() -> None:
    whole = plan(scan_step("b", "a", when="request.stream"), scan_step("f", "a", order=1))
    said = {one.node: one.only_when for one in failures(whole)}
    assert said["output b"] == "only when request.stream == true"
    assert said["output f"] == said["queue"] == ""
    lines = [line for line in failures_text(whole).splitlines() if "  output b" in line]
    assert all(line.endswith("  only when request.stream == true") for line in lines)


def test_only_the_last_target_has_nobody_behind_it() -> None:
    whole = plan(targets=(target("a"), target("b")))
    rows = {(one.node, one.trouble): one.seen for one in failures(whole)}
    assert rows["upstream a", "cannot be reached"] == "the next target is asked"
    assert rows["upstream b", "cannot be reached"].startswith("502")
    assert rows["upstream b", "cannot be reached"].endswith("should not retry")
    assert len(rows) == len(ADMISSION) + 2 * (len(UPSTREAM) + 1)
    assert failures_text(whole).count("\n") == len(rows) + 1


def test_a_service_may_refuse_in_every_way_and_judges_no_stream() -> None:
    acts, watches = (ask_step(name, ASK, phase=Phase.OUTPUT) for name in ("acts", "watches"))
    watches = attrs.evolve(watches, body=attrs.evolve(ASK, action=Action.FLAG), order=7)
    rows = gates(acts, watches)
    assert "409 policy_violation / output_blocked" in rows["output acts", "block"][0]
    assert "escalation_required" in rows["output acts", "escalate"][0]
    assert rows["output acts", "late"][1] == rows["output watches", "late"][1] == "closed"
    assert ("output watches", "block") not in rows
    for name in ("acts", "watches"):
        refused = rows[f"output {name}", "a stream is asked for"][0]
        assert refused.startswith("422 validation_error / stream_not_judged")
        assert (f"output {name}", "a hold reaches its cap") not in rows
    assert ("input asks", "a stream is asked for") not in gates(ask_step("asks", ASK))
