"""Law: any text becomes a report in every form, with every finding at a place of the text."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given

from kt.cli.reports.document import json_document
from kt.cli.reports.findings import FileReport, Place, file_report
from kt.cli.reports.github import workflow_commands
from kt.cli.reports.lint import invalid_text, lint_json
from kt.cli.reports.remarks import lint_report
from kt.cli.reports.sarif import sarif_log
from kt.compiler import compile_source
from kt.compiler.program import Program
from kt.diagnostics import KEPT, Report
from kt.errors import ConfigError
from kt.source import Source
from tests.support.config_strategies import texts
from tests.support.large_configs import with_mistakes

# Any: the forms are JSON.


def checked(text: str) -> tuple[Report, Program | None]:
    """What the compiler makes of a text."""
    try:
        compiled = compile_source(Source("kt.yaml", text))
    except ConfigError as error:
        return error.report, None
    return compiled.report, compiled.optimized


def check_forms(report: FileReport, text: str) -> None:
    """Demand that every finding is in every form once, and that its place is in the text."""
    total = len(report.errors) + len(report.warnings)
    (document,) = json.loads(json_document([report]))["files"]
    (run,) = json.loads(sarif_log([report]))["runs"]
    commands = workflow_commands([report])
    listed = [*document["errors"], *document["warnings"]]
    assert len(listed) == len(run["results"]) == total
    # One line more says how many more there are.
    more = bool(report.more_errors or report.more_warnings)
    assert len(commands.split("\n")) == max(total + more, 1)
    assert document["valid"] or document["errors"]
    check_places(listed, text)


def check_places(findings: Sequence[Any], text: str) -> None:
    """Demand that places begin and end inside the text, in that order."""
    lines = text.removeprefix("\N{BYTE ORDER MARK}").split("\n")
    for one in findings:
        start, end = (one["line"], one["column"]), (one["end_line"], one["end_column"])
        assert (1, 1) <= start <= end
        for line, column in (start, end):
            assert line <= len(lines)
            assert column <= len(lines[line - 1]) + 1


@given(texts())
def test_any_text_becomes_a_report_in_every_form(text: str) -> None:
    report, program = checked(text)
    check_forms(file_report("kt.yaml", report, program), text)


@pytest.mark.parametrize(
    "planted",
    [
        Place(line=9, column=1, end_line=9, end_column=1),
        Place(line=1, column=9, end_line=1, end_column=99),
        Place(line=1, column=3, end_line=1, end_column=2),
    ],
)
def test_the_law_of_forms_finds_a_place_outside_the_text(planted: Place) -> None:
    text = "zzz: 1\n"
    report = file_report("kt.yaml", *checked(text))
    check_forms(report, text)
    (error,) = report.errors
    with pytest.raises(AssertionError):
        check_forms(attrs.evolve(report, errors=(attrs.evolve(error, place=planted),)), text)


@given(texts())
def test_any_text_becomes_the_products_report(text: str) -> None:
    report, program = checked(text)
    made = lint_report("kt.yaml", report, program)
    data = json.loads(lint_json(made))
    assert data["valid"] is (program is not None)
    assert len(data["warnings"] if data["valid"] else data["errors"]) >= len(
        report.warnings if data["valid"] else report.errors
    )
    assert invalid_text(made).startswith("X kt.yaml has ")


def test_a_text_that_is_wrong_everywhere_is_reported_up_to_a_bound() -> None:
    text = with_mistakes(5000)
    report, program = checked(text)
    check_forms(file_report("kt.yaml", report, program), text)
    assert len(lint_report("kt.yaml", report, program).errors) == KEPT
