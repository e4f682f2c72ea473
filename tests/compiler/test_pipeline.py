"""From text to plan: steps, phases, limits, flags, and what a broken compiler would do."""

import pytest

from kt.compiler import Compiled, Setting, Settings, compile_source
from kt.compiler.engines import DIALECT
from kt.compiler.limits import DEFAULT
from kt.errors import ConfigError
from kt.explain import explain_text
from kt.plan import DEFAULT_PORT, Edge
from kt.policy import OnTrouble, Phase
from kt.source import Source

PHASES = (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT)


def compiled_of(text: str, settings: Settings | None = None) -> Compiled:
    return compile_source(Source("kt.yaml", text), settings)


def steps_of(chain: str) -> dict[str, list[str]]:
    plan = compiled_of(f"policies: {{chain: {chain}}}").plan
    return {phase.value: [step.name for step in plan.steps(phase)] for phase in PHASES}


@pytest.mark.parametrize(
    "text", ["gateway: {}", "policies: {}", "providers: {targets: []}", "pack: ~"]
)
def test_a_fragment_compiles_without_a_pack(text: str) -> None:
    plan = compiled_of(text).plan
    assert (plan.name, plan.version, plan.enabled) == ("unnamed", "0.0.0", True)
    assert plan.listen_port == DEFAULT_PORT


def test_a_chain_entry_runs_in_the_phases_of_its_kind() -> None:
    assert steps_of("[prompt-injection, pii-detector, audit-logger]") == {
        "input": ["prompt-injection", "pii-detector"],
        "output": ["pii-detector"],
        "audit": ["audit-logger"],
    }


@pytest.mark.parametrize(
    ("stage", "phase"),
    [
        ("pre-request", "input"),
        ("post_request", "input"),
        ("pre-response", "output"),
        ("post-response", "output"),
    ],
)
def test_a_stage_runs_an_entry_there_only(stage: str, phase: str) -> None:
    steps = steps_of(f"[pii-detector: {{stage: {stage}}}]")
    assert steps == {"input": [], "output": [], "audit": [], phase: ["pii-detector"]}


def test_a_kind_may_stand_twice_in_different_phases() -> None:
    steps = steps_of("[prompt-injection, prompt-injection: {stage: post-response}]")
    assert (steps["input"], steps["output"]) == (["prompt-injection"], ["prompt-injection"])


def test_steps_keep_their_declared_order_and_place_when_they_are_moved() -> None:
    plan = compiled_of("policies: {chain: [pii-detector, prompt-injection]}").plan
    first, second = plan.steps(Phase.INPUT)
    assert (first.name, first.order, second.order) == ("prompt-injection", 1, 0)
    assert first.because == ("moved by blocking_first: was 2",)
    assert second.because == ()
    assert first.origin == "kt.yaml:1:34"


@pytest.mark.parametrize(
    ("flags", "fail_mode", "decided"),
    [
        ("{}", None, OnTrouble.BLOCK),
        ("{}", OnTrouble.ALLOW, OnTrouble.ALLOW),
        ("{fail_closed: true}", OnTrouble.ALLOW, OnTrouble.BLOCK),
        ("{fail_open: true}", OnTrouble.BLOCK, OnTrouble.ALLOW),
    ],
)
def test_a_policys_own_flags_win_over_the_fail_mode(
    flags: str, fail_mode: OnTrouble | None, decided: OnTrouble
) -> None:
    text = f"policies: {{chain: [prompt-injection]}}\npolicy: {{prompt-injection: {flags}}}"
    (step,) = compiled_of(text, Settings(fail_mode=fail_mode)).plan.steps(Phase.INPUT)
    assert step.on_trouble is decided


CONCURRENCY = "gateway: {concurrency: {max_concurrent_requests: 5}}"


@pytest.mark.parametrize(
    ("text", "setting", "value", "origin"),
    [
        ("gateway: {}", None, 16, DEFAULT),
        (CONCURRENCY, None, 5, "kt.yaml:1:50"),
        (CONCURRENCY, Setting(7, "--max-concurrency"), 7, "--max-concurrency"),
    ],
)
def test_a_flag_wins_over_the_file_and_the_file_over_the_default(
    text: str, setting: Setting | None, value: int, origin: str
) -> None:
    count = compiled_of(text, Settings(max_concurrency=setting)).plan.admission.max_concurrent
    assert (count.value, count.origin) == (value, origin)


@pytest.mark.parametrize(
    ("text", "edge"),
    [
        ("gateway: {}", Edge.LLHTTP),
        ("gateway: {edge: llhttp}", Edge.LLHTTP),
        ("gateway: {edge: hypercorn}", Edge.HYPERCORN),
    ],
)
def test_the_edge_is_ours_unless_the_file_says_otherwise(text: str, edge: Edge) -> None:
    compiled = compiled_of(text)
    assert compiled.plan.edge is edge
    assert ("hypercorn" in explain_text(compiled.plan)) is (edge is Edge.HYPERCORN)


def test_the_defaults_are_those_of_the_design() -> None:
    plan = compiled_of("gateway: {}").plan
    timeouts = plan.timeouts
    assert [
        timeouts.connect.seconds,
        timeouts.first_byte.seconds,
        timeouts.inter_chunk.seconds,
        timeouts.request.seconds,
        timeouts.idle.seconds,
        timeouts.policy.seconds,
        timeouts.queue.seconds,
    ] == [5, 30, 30, 120, 90, 2, 30]
    sizes = plan.sizes
    assert [sizes.request_body.value, sizes.response_body.value, sizes.stream_hold.value] == [
        10 * 2**20,
        50 * 2**20,
        64 * 2**10,
    ]
    assert plan.admission.max_queue.value == 1000
    assert plan.server_timing
    assert not plan.keep_answer_whole


def test_a_deadline_inside_the_request_is_cut_to_it() -> None:
    compiled = compiled_of("gateway: {timeouts: {request: 4s, policy_eval: 9s}}")
    timeouts = compiled.plan.timeouts
    cut = "cut to request (kt.yaml:1:31)"
    assert (timeouts.policy.seconds, timeouts.policy.origin) == (4.0, f"kt.yaml:1:48, {cut}")
    assert (timeouts.connect.seconds, timeouts.connect.origin) == (4.0, f"default, {cut}")
    assert timeouts.inter_chunk.seconds == 30.0
    assert [one.name for one in compiled.report.warnings] == ["limit_cut"]


def test_a_byte_order_mark_counts_for_no_position() -> None:
    with pytest.raises(ConfigError) as raised:
        compiled_of("\ufeffa: 1")
    assert raised.value.report.show().startswith("kt.yaml:1:1: KT202")


def test_the_engines_and_the_dialect_are_in_the_plan() -> None:
    engines = dict(compiled_of("gateway: {}").plan.engines)
    assert engines.keys() == {"google-re2", "kt-pattern-dialect", "python-stdnum", "unicode"}
    assert engines["kt-pattern-dialect"] == str(DIALECT)


def test_no_secret_and_no_position_decides_the_digest() -> None:
    one = compiled_of("pack: {name: a, version: 1.0.0, enabled: true}").plan
    other = compiled_of("# moved\n\npack:\n  {enabled: true, version: 1.0.0, name: a}\n").plan
    assert one.digest == other.digest
    assert one == other


def test_checks_of_different_kinds_are_reported_together() -> None:
    text = (
        "policies: {chain: [pii-detector, pii-detector, audit-logger: {stage: pre-request}]}\n"
        "providers: {targets: [{id: a, provider: opnai}, {id: a, provider: openai}],"
        " strategy: zzz}\n"
    )
    with pytest.raises(ConfigError) as raised:
        compiled_of(text)
    assert [one.name for one in raised.value.report.errors] == [
        "same_phase_twice",
        "stage_not_possible",
        "unknown_provider",
        "duplicate_target",
        "unknown_word",
    ]
