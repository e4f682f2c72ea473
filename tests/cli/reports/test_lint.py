"""The product's report: its bounds; the rest is tested where the command is."""

from kt.cli.reports.findings import Summary
from kt.cli.reports.lint import invalid_text, remarks_text, valid_text
from kt.cli.reports.remarks import LintReport, Remark
from kt.diagnostics import SHOWN

REMARK = Remark(code="E001", kt_code="KT401", path="a", message="M", suggestion=None, place=None)


def test_one_error_is_spoken_of_alone() -> None:
    report = LintReport(file="a.yaml", errors=(REMARK,))
    assert invalid_text(report) == "X a.yaml has 1 error\n\nerror[E001]: M"


def test_twenty_are_shown_and_the_rest_is_counted() -> None:
    shown = remarks_text("a.yaml", (REMARK,) * (SHOWN + 2), "error")
    assert shown.count("error[E001]") == SHOWN
    assert shown.endswith("\nand 2 more errors")
    assert remarks_text("a", (REMARK,) * (SHOWN + 1), "error").endswith("\nand 1 more error")
    assert "more" not in remarks_text("a", (REMARK,) * SHOWN, "error")


def test_an_empty_chain_is_an_empty_line() -> None:
    summary = Summary(name="a", version="1", chain=(), targets=0)
    text = valid_text(LintReport(file="a.yaml", summary=summary), summary)
    assert text.split("\n")[2:] == ["Chain:", "Policies validated: 0"]
