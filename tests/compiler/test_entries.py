"""Entries of chains and lists: what kind one is, what it says for itself, and what is wrong."""

import pytest

from kt.compiler import Compiled, compile_source
from kt.errors import ConfigError
from kt.plan import Scan, Step
from kt.policy import Phase
from kt.source import Source


def compiled_of(entry: str) -> Compiled:
    return compile_source(Source("kt.yaml", f"policies: [{entry}]"))


def steps_of(entry: str) -> list[Step]:
    plan = compiled_of(entry).plan
    return [
        step for phase in (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT) for step in plan.steps(phase)
    ]


def kinds_of(entry: str) -> list[str]:
    """Kind and phase of every step."""
    return [f"{step.kind} {step.phase.value}" for step in steps_of(entry)]


def scan_of(entry: str) -> Scan:
    body = steps_of(entry)[0].body
    assert isinstance(body, Scan)
    return body


def errors_of(text: str) -> list[tuple[str, str]]:
    """Each error's name and the text that it points at."""
    with pytest.raises(ConfigError) as raised:
        compile_source(Source("kt.yaml", text))
    report = raised.value.report
    return [(one.name, text[one.span.start : one.span.end]) for one in report.errors]


def warned_in(entry: str) -> list[str]:
    text = f"policies: [{entry}]"
    found = compile_source(Source("kt.yaml", text)).report.warnings
    return [text[one.span.start : one.span.end] for one in found]


@pytest.mark.parametrize(
    ("entry", "kinds"),
    [
        ("pii-detector", ["pii-detector input", "pii-detector output"]),
        ("pii_redaction", ["pii-detector input", "pii-detector output"]),
        ("content-safety", ["safety-filter input"]),
        ("{type: content_filter}", ["safety-filter input"]),
        ("{name: x, type: topic_control, topics: [war]}", ["safety-filter input"]),
        ("{type: prompt_injection_guard}", ["prompt-injection input"]),
        ("{type: quality}", ["quality-scorer output"]),
        ("{type: grounding}", ["citation-verifier output"]),
        ("{name: content-filter, type: output_filter}", ["safety-filter output"]),
        ("{name: pii-redaction, type: input_filter}", ["pii-detector input"]),
        ("{name: x, type: output_filter, pattern: abc}", ["dlp-filter output"]),
        ("{name: x, type: output_filter, patterns: [email, ssn]}", ["pii-detector output"]),
        ("{name: x, type: output_filter, patterns: [email, 'a+b']}", ["dlp-filter output"]),
        ("{name: x, type: input_filter, categories: [hate]}", ["safety-filter input"]),
        (
            "{name: x, type: content_filter, pattern: abc}",
            ["dlp-filter input", "dlp-filter output"],
        ),
        ("{type: observe, action: log}", ["audit-logger audit"]),
        ("{type: observe, phase: output}", ["audit-logger audit"]),
        ("{type: observe, patterns: [email], phase: input}", ["pii-detector input"]),
        ("{type: model_filter, allowed_models: [a]}", []),
        ("{name: costs, action: allow, conditions: {wallet_balance: sufficient}}", []),
        ("{name: costs, rules: [{action: allow, conditions: {max_tokens_gt: 1}}]}", []),
        ("{type: pii_detection, enabled: false}", []),
        ("pii-detector: {phase: output}", ["pii-detector output"]),
        ("{pii-detector: ~, stage: pre-request}", ["pii-detector input"]),
    ],
)
def test_type_name_or_content_say_what_an_entry_is(entry: str, kinds: list[str]) -> None:
    assert kinds_of(entry) == kinds


@pytest.mark.parametrize(
    ("entry", "errors"),
    [
        ("{type: zzz}", [("unknown_kind", "zzz")]),
        ("{name: zzz}", [("unknown_kind", "zzz")]),
        ("{name: zzz, type: output_filter}", [("unknown_kind", "zzz")]),
        ("{action: block}", [("missing_key", "{action: block}")]),
        ("{name: zzz, tpe: pii_detection}", [("unknown_kind", "zzz"), ("unknown_key", "tpe")]),
        ("{type: 7}", [("wrong_type", "7")]),
        ("{a: 1, b: 2}", [("bad_chain_entry", "{a: 1, b: 2}")]),
        ("[x]", [("bad_chain_entry", "[x]")]),
        ("~", [("bad_chain_entry", "~")]),
        ("{type: pii_detection, acton: redact}", [("unknown_key", "acton")]),
        ("{type: pii_detection, action: shred}", [("unknown_word", "shred")]),
        ("{type: pii_detection, config: 7}", [("wrong_type", "7")]),
        ("{type: pii_detection, patterns: [nosuch]}", [("policy.unknown_entity", "nosuch")]),
        ("{type: quality, pattern: abc}", [("unknown_key", "pattern")]),
        ("{type: content_filter, config: {catgories: [a]}}", [("unknown_key", "catgories")]),
        ("{type: pii_detection, stage: pre-request, phase: output}", [("given_twice", "stage")]),
        ("{name: pii-redaction, type: output_filter, phase: input}", [("given_twice", "phase")]),
        (
            "{type: pii_detection, fail_open: true, fail_closed: true}",
            [("trouble_contradiction", "fail_closed")],
        ),
        ("pii-detector: 7", [("wrong_type", "7")]),
        ("pii-detector: {when: {paht: /v1}}", [("filter.unknown_field", "paht")]),
        ("pii-detector: {when: {header: x}}", [("wrong_type", "x")]),
        ("pii-detector: {conditions: {a: {b: 1}}}", [("wrong_type", "{b: 1}")]),
        ("pii-detector: {threshold: true}", [("wrong_type", "true")]),
        ("audit-logger: {stage: pre-request}", [("stage_not_possible", "audit-logger")]),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_where_it_stands(
    entry: str, errors: list[tuple[str, str]]
) -> None:
    assert errors_of(f"policies: [{entry}]") == errors


@pytest.mark.parametrize(
    "pair",
    [
        "threshold: 0.5, config: {threshold: 0.6}",
        "categories: [a], config: {categories: [b]}",
        "parallel_group: a, parallel-group: b",
    ],
)
def test_one_thing_said_twice_in_an_entry_is_shown_at_both_places(pair: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled_of(f"{{type: content_filter, {pair}}}")
    (found,) = raised.value.report.errors
    assert found.name == "given_twice"
    assert found.related[0].span.start < found.span.start


@pytest.mark.parametrize("action", ["block", "redact", "escalate", "flag", "warn", "log"])
def test_an_entrys_action_is_what_its_step_does(action: str) -> None:
    (step,) = steps_of(f"{{type: pii_detection, phase: input, action: {action}}}")
    assert isinstance(step.body, Scan)
    assert step.body.action.value == action
    assert (step.facts.can_block, step.facts.edits) == (action == "block", action == "redact")


def test_an_entrys_words_are_its_steps_words() -> None:
    scan = scan_of("{type: pii_redaction, message: Not this, replacement: '<gone>', action: block}")
    assert scan.message == "Not this"
    assert {rule.label for rule in scan.rules} == {"<gone>"}


def test_what_is_listed_is_all_that_is_looked_for() -> None:
    emails = scan_of("{type: pii_detection, patterns: [email]}")
    assert {rule.label for rule in emails.rules} == {"[EMAIL]"}
    own = scan_of("{type: pii_detection, patterns: ['x-[0-9]+']}")
    assert [rule.pattern for rule in own.rules] == ["x-[0-9]+"]


def test_a_kinds_own_settings_may_stand_in_an_entry_and_below_config() -> None:
    beside = scan_of("{type: pii_detector, pci_mode: false}")
    below = scan_of("{type: pii_detector, config: {pci_mode: false}}")
    assert beside == below != scan_of("pii-detector")


def test_entries_of_one_kind_each_have_their_own_settings_and_name() -> None:
    steps = steps_of(
        "{name: a, type: pii_detection, phase: input, action: block},"
        " {name: b, type: pii_detection, phase: input, patterns: [email]}"
    )
    assert [step.name for step in steps] == ["a", "b"]
    assert steps[0].body != steps[1].body
    assert errors_of("policies: [{name: a, type: quality}, {name: a, type: grounding}]") == [
        ("same_phase_twice", "grounding")
    ]


def test_an_entry_with_settings_of_its_own_does_not_use_its_kinds_block() -> None:
    block = "\npolicy: {pii-detector: {action: block}}"
    text = "policies: {chain: [pii-detector: {pci_mode: false}]}" + block
    compiled = compile_source(Source("kt.yaml", text))
    (step,) = compiled.plan.steps(Phase.INPUT)
    assert isinstance(step.body, Scan)
    assert step.body.action.value == "redact"
    assert [one.name for one in compiled.report.warnings] == ["unused_block"]


def test_what_an_entry_says_in_vain_is_warned_of() -> None:
    assert warned_in("audit-logger: {action: block, message: x}") == ["action", "message"]
    assert warned_in("{type: observe, action: log}") == []
    assert warned_in("pii-detector: {when: {model: a}, threshold: high}") == ["threshold"]
    assert warned_in("{type: pii_detection, knowledge_base: a}") == ["knowledge_base"]
