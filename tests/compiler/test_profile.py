"""A profile is read from what the gateway writes, and from whatever else stands in the file."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler.profile import MAX_LINE, SHOWN, BadLine, Measured, Profile, read_profile
from kt.policy import Action, Phase
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, record_step, scan_step
from tests.support.upstreams import FakeProvider, completion, json_answer


def event(*checks: tuple[str, str, object]) -> bytes:
    """An event with policies: name, verdict, milliseconds."""
    policies = [
        {"name": name, "phase": "input", "verdict": verdict, "latency_ms": latency}
        for name, verdict, latency in checks
    ]
    return json.dumps({"policies": policies}).encode() + b"\n"


def test_runs_blocks_and_times_are_added() -> None:
    lines = [event(("a", "allow", 1.5), ("b", "redact", 2)), b"\n", event(("a", "block", 0.5))]
    profile, bad = read_profile(lines)
    assert profile.rows == (
        Measured("a", "input", 2, 1, 2000),
        Measured("b", "input", 1, 0, 2000),
    )
    assert (bad.count, bad.first) == (0, ())
    found = profile.of(scan_step("a", "x", phase=Phase.INPUT))
    assert found is not None
    assert (found.cost, found.block_rate) == (0.001, 0.5)
    assert profile.of(scan_step("a", "x", phase=Phase.OUTPUT)) is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not an event"),
        (b"{}", "not an event"),
        (b'{"policies": [1]}', "no name or no phase"),
        (event(("a", "allow", "fast")), "latency_ms"),
        (event(("a", "allow", -1)), "latency_ms"),
        (event(("a", "allow", True)), "latency_ms"),
        (event(("a", "allow", float("nan"))), "latency_ms"),
        (event(("a", "allow", float("inf"))), "latency_ms"),
        (b" " * (MAX_LINE + 1), "longer"),
    ],
)
def test_an_unusable_line_is_reported_with_its_number(line: bytes, problem: str) -> None:
    profile, bad = read_profile([event(("a", "allow", 1)), line, event(("a", "allow", 1))])
    assert [row.runs for row in profile.rows] == [2]
    assert bad.count == 1
    assert bad.first[0].number == 2
    assert problem in bad.first[0].problem


def test_only_the_first_unusable_lines_are_kept() -> None:
    _, bad = read_profile([b"x"] * 100)
    assert bad.count == 100
    assert bad.first == tuple(BadLine(at + 1, "not JSON") for at in range(SHOWN))


@given(st.lists(st.one_of(st.binary(max_size=30), st.text(max_size=30).map(str.encode))))
def test_no_line_raises(lines: list[bytes]) -> None:
    profile, bad = read_profile(lines)
    assert isinstance(profile, Profile)
    assert bad.count <= len(lines)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["block", "allow"]), st.floats(0, 9)))
)
def test_the_order_of_events_does_not_matter(checks: list[tuple[str, str, float]]) -> None:
    lines = [event(check) for check in checks]
    assert read_profile(lines) == read_profile(reversed(lines))


def test_what_the_gateway_writes_is_a_profile(tmp_path: Path) -> None:
    step = scan_step("words", "bad", action=Action.BLOCK, phase=Phase.INPUT)
    log = tmp_path / "events.jsonl"

    async def main() -> None:
        provider = FakeProvider(lambda _: json_answer(completion("x")))
        async with gateway(plan(step, record_step()), provider, log) as app:
            await chat(app, "bad")
            await chat(app, "good")

    run_in_virtual_time(main)
    with log.open("rb") as opened:
        profile, bad = read_profile(opened)
    assert bad.count == 0
    assert [(row.name, row.runs, row.blocks) for row in profile.rows] == [("words", 2, 1)]
