"""The report as SARIF: what version 2.1.0 requires, and what our findings become."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from kt.cli.reports.findings import (
    Elsewhere,
    FileReport,
    Finding,
    Place,
    file_report,
    unreadable,
)
from kt.cli.reports.sarif import sarif_log, uri_of
from kt.compiler import compile_source
from kt.diagnostics import CODES
from kt.errors import ConfigError
from kt.source import Source
from tests.support.cases import case_paths, compile_case, load

# Any: SARIF is JSON.

HERE = Place(line=1, column=2, end_line=3, end_column=4)
FOUND = Finding(
    code="KT202",
    name="unknown_key",
    message="m",
    hint="h",
    place=HERE,
    related=(Elsewhere("first given", HERE),),
)


def run_of(reports: Sequence[FileReport]) -> Any:
    log = json.loads(sarif_log(reports))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    return run


def check_required(run: Any) -> None:
    """Demand what the specification requires of a run, its rules, results and locations."""
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(rules) == len(set(rules))
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
        assert all(one["message"]["text"] for one in invocation["toolExecutionNotifications"])
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            check_location(location["physicalLocation"])


def check_location(physical: Any) -> None:
    """Demand a reference and a region that does not end before it begins."""
    assert physical["artifactLocation"]["uri"]
    region = physical["region"]
    start = (region["startLine"], region["startColumn"])
    assert (1, 1) <= start <= (region["endLine"], region["endColumn"])


def test_every_fixture_makes_a_log_that_has_what_is_required() -> None:
    reports = []
    for path in case_paths("errors"):
        compiled, report = compile_case(load(path))
        program = None if compiled is None else compiled.optimized
        reports.append(file_report(path.name, report, program))
    run = run_of(reports)
    check_required(run)
    assert {one["ruleId"] for one in run["results"]} == {one.number for one in CODES.values()}


@pytest.mark.parametrize("missing", ["message", "level", "ruleId", "locations"])
def test_a_result_without_a_required_part_is_found(missing: str) -> None:
    run = run_of([FileReport(file="a.yaml", explained="", errors=(FOUND,))])
    check_required(run)
    del run["results"][0][missing]
    with pytest.raises(KeyError):
        check_required(run)


def test_a_finding_becomes_a_result() -> None:
    run = run_of([FileReport(file="a.yaml", explained="", errors=(FOUND,), warnings=(FOUND,))])
    error, warning = run["results"]
    region = {"startLine": 1, "startColumn": 2, "endLine": 3, "endColumn": 4}
    place = {"artifactLocation": {"uri": "a.yaml"}, "region": region}
    assert error == {
        "ruleId": "KT202",
        "level": "error",
        "message": {"text": "m (hint: h)"},
        "locations": [{"physicalLocation": place}],
        "relatedLocations": [{"physicalLocation": place, "message": {"text": "first given"}}],
    }
    assert warning["level"] == "warning"


def test_what_could_not_be_read_is_no_result_but_a_notification() -> None:
    run = run_of([unreadable("a.yaml", "cannot read", "look")])
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "cannot read (hint: look)"


def test_a_rule_of_messages_that_come_with_the_finding_is_named() -> None:
    rules = run_of([])["tool"]["driver"]["rules"]
    described = {rule["id"]: rule["shortDescription"]["text"] for rule in rules}
    assert described["KT311"] == "pattern: lookaround"
    assert described["KT202"] == "unknown key '{word}'"


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a/b c.yaml", "a/b%20c.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("/a/b.yaml", "file:///a/b.yaml"),
        ("-", "-"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "caf%C3%A9"),
    ],
)
def test_a_name_becomes_a_reference(file: str, uri: str) -> None:
    assert uri_of(file) == uri


def test_a_secret_is_not_in_the_log() -> None:
    text = "providers: {targets: [{id: a, provider: openai, api_key: sk-live-1}]}"
    with pytest.raises(ConfigError) as raised:
        compile_source(Source("a.yaml", text))
    log = sarif_log([file_report("a.yaml", raised.value.report, None)])
    assert "KT213" in log
    assert "live-1" not in log
