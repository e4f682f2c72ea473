"""The report of `kt policy lint`: the product's texts and its JSON, for scripts that read them."""

import json
from collections.abc import Iterator
from typing import Any

from kt.cli.reports.document import FORMAT, place
from kt.cli.reports.findings import Summary, printable
from kt.cli.reports.remarks import LintReport, Remark
from kt.cli.reports.text import counted
from kt.diagnostics import SHOWN


def valid_text(report: LintReport, summary: Summary) -> str:
    """What a valid file is told."""
    return "\n".join(
        (
            f"OK {printable(report.file)} is valid",
            f"Pack: {summary.name} (v{summary.version})",
            f"Chain: {' -> '.join(summary.chain)}".rstrip(),
            f"Policies validated: {len(summary.chain)}",
        )
    )


def invalid_text(report: LintReport) -> str:
    """What an invalid file is told."""
    errors = counted(len(report.errors), "error", "errors")
    shown = remarks_text(report.file, report.errors, "error")
    return f"X {printable(report.file)} has {errors}\n\n{shown}"


def remarks_text(file: str, remarks: tuple[Remark, ...], level: str) -> str:
    """Remarks as text, capped with a count of the rest."""
    shown = [line for one in remarks[:SHOWN] for line in _lines(file, one, level)]
    rest = len(remarks) - SHOWN
    return "\n".join([*shown, f"and {rest} more {level}{'s' * (rest > 1)}"] if rest > 0 else shown)


def _lines(file: str, remark: Remark, level: str) -> Iterator[str]:
    yield f"{level}[{remark.code}]: {remark.message}"
    if remark.place is not None:
        at = f"{printable(file)}:{remark.place.line}:{remark.place.column}"
        yield f"  --> {remark.path} at {at}" if remark.path else f"  --> {at}"
    if remark.suggestion is not None:
        yield f"  help: {remark.suggestion}"


def lint_json(report: LintReport) -> str:
    """The same for programs: the product's keys, beside them ours."""
    head: dict[str, Any] = {
        "format": FORMAT,
        "valid": report.summary is not None,
        "file": report.file,
    }
    summary = report.summary
    if summary is None:
        return json.dumps({**head, "errors": [_data(one) for one in report.errors]}, indent=2)
    body = {
        "pack": {"name": summary.name, "version": summary.version},
        "chain": list(summary.chain),
        "policy_count": len(summary.chain),
        "warnings": [_data(one) for one in report.warnings],
    }
    return json.dumps({**head, **body}, indent=2)


def _data(remark: Remark) -> dict[str, Any]:
    return {
        "code": remark.code,
        "path": remark.path,
        "message": remark.message,
        "suggestion": remark.suggestion,
        "kt_code": remark.kt_code,
        **place(remark.place),
    }
