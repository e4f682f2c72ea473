"""Documents of every shape: one chain, one pack, and what is wrong with a shape."""

import pytest

from kt.compiler import Compiled, compile_source
from kt.errors import ConfigError
from kt.plan import Plan
from kt.policy import Phase
from kt.source import Source


def compiled_of(text: str) -> Compiled:
    return compile_source(Source("kt.yaml", text))


def names_of(plan: Plan) -> dict[str, list[str]]:
    return {
        phase.value: [step.name for step in plan.steps(phase)]
        for phase in (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT)
        if plan.steps(phase)
    }


def errors_of(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as raised:
        compiled_of(text)
    report = raised.value.report
    return [(one.name, text[one.span.start : one.span.end]) for one in report.errors]


@pytest.mark.parametrize(
    "text",
    [
        "policies: [pii-detector, audit-logger]",
        "policies: [{name: pii-detector, type: pii_detector}, {name: audit-logger, type: observe}]",
        "version: '1'\npolicies: [{type: pii_detection, name: pii-detector}, audit-logger]",
        "policies: [{name: pii-detector, rules: [{type: pii_detection}]}, audit-logger]",
    ],
)
def test_a_list_means_the_same_as_a_chain(text: str) -> None:
    chain = compiled_of("policies: {chain: [pii-detector, audit-logger]}").plan
    assert compiled_of(text).plan.digest == chain.digest


def test_two_lists_fix_the_phase_of_whatever_form_an_entry_has() -> None:
    plan = compiled_of(
        "input_policies:\n- pii-detector\n- dlp-filter: {action: block}\n"
        "- {name: a, type: content_filter}\n"
        "output_policies: [{name: b, type: content_filter}, dlp-filter, pii-detector: ~]\n"
        "policies: {chain: [prompt-injection]}\n"
    ).plan
    assert {phase: sorted(names) for phase, names in names_of(plan).items()} == {
        "input": ["a", "dlp-filter", "pii-detector", "prompt-injection"],
        "output": ["b", "dlp-filter", "pii-detector"],
    }


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("input_policies: 7", [("wrong_type", "7")]),
        ("input_policies: {a: b}", [("wrong_type", "{a: b}")]),
        ("policies: 7", [("wrong_type", "7")]),
        ("policies: [{name: a, rules: 7}]", [("wrong_type", "7")]),
        ("policies: [{name: a, rules: [7]}]", [("wrong_type", "7")]),
        ("policies: [{name: a, rules: []}]", [("wrong_type", "[]")]),
        ("input_policies: [pii-detector: {phase: output}]", [("given_twice", "phase")]),
        ("input_policies: [audit-logger]\ninput-policies: []", [("given_twice", "input-policies")]),
        ("version: 1", [("wrong_type", "1")]),
        ("version: '7'", [("unknown_word", "'7'")]),
        ("policies: {chian: []}", [("unknown_key", "chian")]),
    ],
)
def test_what_is_wrong_with_a_list_is_said_where_it_stands(
    text: str, errors: list[tuple[str, str]]
) -> None:
    assert errors_of(text) == errors


def test_a_group_passes_on_what_its_rules_do_not_say() -> None:
    plan = compiled_of(
        "policies: [{id: g, phase: output, action: block,"
        " rules: [{type: pii_detection}, {type: content_filter, action: flag},"
        " {type: quality, name: q}]}]"
    ).plan
    assert {step.name for step in plan.steps(Phase.OUTPUT)} == {"g.1", "g.2", "q"}
    facts = {step.name: step.facts.can_block for step in plan.steps(Phase.OUTPUT)}
    assert (facts["g.1"], facts["g.2"]) == (True, False)


@pytest.mark.parametrize(
    ("with_null", "without"),
    [
        ("input_policies: [{pii-detector: ~}]", "input_policies: [pii-detector]"),
        ("input_policies: [{pii-detector: {name: ~, id: ~}}]", "input_policies: [pii-detector]"),
        ("policies: [{name: ~, type: rbac}]", "policies: [{type: rbac}]"),
        ("policies: [{name: ~, id: x, type: rbac}]", "policies: [{id: x, type: rbac}]"),
        ("policies: [{id: ~, pattern: ab}]", "policies: [{pattern: ab}]"),
        (
            "policies: [{name: ~, id: g, rules: [{type: rbac, name: ~}]}]",
            "policies: [{id: g, rules: [{type: rbac}]}]",
        ),
    ],
)
def test_a_null_means_what_leaving_it_out_means(with_null: str, without: str) -> None:
    assert compiled_of(with_null).plan.digest == compiled_of(without).plan.digest


def test_an_unknown_kind_with_null_is_named_whatever_the_list() -> None:
    for name in ("input_policies", "policies"):
        assert errors_of(f"{name}: [{{pii_detecter: ~}}]") == [("unknown_kind", "pii_detecter")]


def test_what_a_group_says_holds_for_a_rule_that_is_a_kind_alone() -> None:
    group = "policies: [{name: g, action: flag, rules: [%s]}]"
    alone, said = group % "pii-detector", group % "{type: pii-detector}"
    assert compiled_of(alone).plan.digest == compiled_of(said).plan.digest
    assert not any(step.facts.edits for step in compiled_of(alone).plan.steps(Phase.INPUT))


HEAD = "policy: {name: %s, version: 1.0.0, enabled: true}\n"


@pytest.mark.parametrize(
    ("name", "sections", "kind"),
    [
        ("prompt-injection", "", "prompt-injection"),
        ("prompt_injection_guard", "encoding: {decode_base64: false}", "prompt-injection"),
        ("mine", "detection: {attack_patterns: [abc]}", "prompt-injection"),
        ("mine", "allowed_tools: [search]", "agent-firewall"),
        ("mine", "require_sources: true", "citation-verifier"),
        ("mine", "assertions: [{type: is-json}]", "quality-scorer"),
        ("quality-scorer", "providers: [{id: judge}]", "quality-scorer"),
    ],
)
def test_a_document_of_one_policy_is_known_by_name_or_sections(
    name: str, sections: str, kind: str
) -> None:
    plan = compiled_of(HEAD % name + sections).plan
    assert (plan.name, plan.version) == (name, "1.0.0")
    assert [step.kind for phase in Phase for step in plan.steps(phase)][:1] == [kind]
    assert plan.targets == ()


def test_a_document_of_one_policy_means_the_same_as_a_pack() -> None:
    alone = (
        HEAD % "prompt-injection" + "encoding: {decode_base64: false}\ngateway: {listen_port: 7}"
    )
    pack = (
        "pack: {name: prompt-injection, version: 1.0.0, enabled: true}\n"
        "policies: {chain: [prompt-injection]}\ngateway: {listen_port: 7}\n"
        "policy: {prompt-injection: {encoding: {decode_base64: false}}}\n"
    )
    assert compiled_of(alone).plan == compiled_of(pack).plan


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (HEAD % "mine", [("unknown_kind", "mine")]),
        (HEAD % "rbac", [("unknown_kind", "rbac")]),
        (
            "policy: {version: 1.0.0}\ndetection: {}",
            [("missing_key", "{version: 1.0.0}"), ("missing_key", "{version: 1.0.0}")],
        ),
        (HEAD % "prompt-injection" + "zzz: 1", [("unknown_key", "zzz")]),
        (HEAD % "prompt-injection" + "encoding: 7", [("wrong_type", "7")]),
        (
            "policy: {name: prompt-injection, vrsion: 1, enabled: true, version: 1.0.0}",
            [("unknown_key", "vrsion")],
        ),
    ],
)
def test_what_is_wrong_with_a_document_of_one_policy_is_said_where_it_stands(
    text: str, errors: list[tuple[str, str]]
) -> None:
    assert errors_of(text) == errors


def test_a_list_of_providers_is_a_list_of_targets() -> None:
    listed = compiled_of("providers: [{id: openai, zdr: true}]")
    assert [target.id for target in listed.plan.targets] == ["openai"]
    assert [one.message for one in listed.report.warnings] == ["'zdr' is set, but not enforced yet"]


def test_zero_data_retention_said_twice_must_agree() -> None:
    text = "providers: [{id: openai, zdr: true, data_policy: {zero_data_retention: false}}]"
    assert errors_of(text) == [("given_twice", "zero_data_retention")]
