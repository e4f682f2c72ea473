"""The report for people."""

import pytest

from kt.cli.reports.findings import FileReport, Finding, Summary
from kt.cli.reports.text import fine_line, shown_in, strict_line

SUMMARY = Summary(name="a", version="1", chain=("x", "x"), targets=1)
REPORT = FileReport(file="\x1ba.yaml", explained="", summary=SUMMARY)


def test_a_fine_file_is_one_line_that_a_terminal_can_show() -> None:
    assert fine_line(REPORT, SUMMARY) == (
        "OK \N{REPLACEMENT CHARACTER}a.yaml: a@1, 2 policies, 1 target"
    )


@pytest.mark.parametrize(("count", "words"), [(1, "1 warning"), (2, "2 warnings")])
def test_warnings_that_fail_are_counted(count: int, words: str) -> None:
    warnings = (Finding(code="KT603", name="no_unit", message="m"),) * count
    report = FileReport(file="a.yaml", explained="", summary=SUMMARY, warnings=warnings)
    assert strict_line(report).startswith(f"error: a.yaml has {words}\n")


def test_what_an_encoding_does_not_have_is_escaped() -> None:
    assert shown_in("a\N{EURO SIGN}", "ascii") == "a\\u20ac"
    assert shown_in("a\N{EURO SIGN}", "utf-8") == "a\N{EURO SIGN}"
