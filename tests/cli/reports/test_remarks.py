"""Findings as the product numbers them."""

import pytest

from kt.cli.reports.remarks import LintReport, lint_report, unreadable_lint
from kt.compiler import compile_source
from kt.errors import ConfigError
from kt.source import Source


def lint(text: str) -> LintReport:
    try:
        compiled = compile_source(Source("a.yaml", text))
    except ConfigError as error:
        return lint_report("a.yaml", error.report, None)
    return lint_report("a.yaml", compiled.report, compiled.optimized)


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("policies: {chain: [zzz]}", "E001", "policies.chain[0]"),
        ("policy: {zzz: {}}", "E001", "policy.zzz"),
        ("policy: {rbac: {zzz: 1}}", "E002", "policy.rbac.zzz"),
        ("policy: {rbac: {roles: {a: {zzz: 1}}}}", "E002", "policy.rbac.roles.a.zzz"),
        ("gateway: {zzz: 1}", "KT202", "gateway.zzz"),
        (
            "policies: {chain: [pii-detector: {zzz: 1}]}",
            "KT202",
            "policies.chain[0].pii-detector.zzz",
        ),
        ("a: [", "KT101", ""),
    ],
)
def test_an_error_has_its_code_and_path(text: str, code: str, path: str) -> None:
    report = lint(text)
    assert report.summary is None
    (error,) = report.errors
    assert (error.code, error.path) == (code, path)


def test_an_unknown_key_lists_the_keys_at_its_place() -> None:
    (error,) = lint("policy: {rbac: {roles: {a: {zzz: 1}}}}").errors
    keys = "allowed_models, allowed_tools, denied_tools"
    assert error.suggestion == f"Valid keys are: {keys}"
    assert error.message == "Unknown key 'zzz' in policy.rbac.roles.a"


def test_a_kind_spelled_with_underscores_lists_its_keys_too() -> None:
    (error,) = lint("policy: {pii_detector: {redaction: {zzz: 1}}}").errors
    assert error.suggestion is not None
    assert "marker_format" in error.suggestion


def test_only_kinds_without_a_section_are_warned_of() -> None:
    text = (
        "policies: {chain: [pii-detector, audit_logger, {prompt-injection: {stage: pre-request}}]}"
        "\npolicy: {pii_detector: {}}"
    )
    missing = [one for one in lint(text).warnings if one.code == "E003"]
    assert [one.path for one in missing] == ["policies.chain[1]", "policies.chain[2]"]


def test_our_warnings_keep_their_codes() -> None:
    (warning,) = lint("gateway: {timeouts: {connect: 5}}").warnings
    assert (warning.code, warning.path) == ("KT603", "gateway.timeouts.connect")


@pytest.mark.parametrize(
    "text", ["policies: [{type: prompt-injection}]", "policies: ~\ngateway: {}", "gateway: {}"]
)
def test_other_shapes_have_no_sections_to_miss(text: str) -> None:
    report = lint(text)
    assert report.summary is not None
    assert [one for one in report.warnings if one.code == "E003"] == []


def test_a_file_that_cannot_be_read_is_one_error() -> None:
    (error,) = unreadable_lint("a.yaml", "cannot read", "look").errors
    assert (error.message, error.suggestion, error.kt_code) == ("Cannot read", "Look", None)
