"""The report as JSON, for programs: stable under its `format`."""

import json
from collections.abc import Sequence
from typing import Any

import attrs

from kt.cli.reports.findings import FileReport, Finding, Place

FORMAT = 1


def json_document(reports: Sequence[FileReport]) -> str:
    """Every file with what was found in it."""
    return json.dumps({"format": FORMAT, "files": [_file(one) for one in reports]}, indent=2)


def _file(report: FileReport) -> dict[str, Any]:
    summary = report.summary
    return {
        "file": report.file,
        "valid": report.is_valid,
        "pack": {"name": summary.name, "version": summary.version} if summary else None,
        "chain": list(summary.chain) if summary else None,
        "policies": len(summary.chain) if summary else None,
        "targets": summary.targets if summary else None,
        "errors": [_finding(report.file, one) for one in report.errors],
        "warnings": [_finding(report.file, one) for one in report.warnings],
        "more_errors": report.more_errors,
        "more_warnings": report.more_warnings,
    }


def _finding(file: str, found: Finding) -> dict[str, Any]:
    related = [{"label": one.label, "file": file, **place(one.place)} for one in found.related]
    return {
        "code": found.code,
        "name": found.name,
        "message": found.message,
        "file": file,
        **place(found.place),
        "hint": found.hint,
        "related": related,
    }


def place(where: Place | None) -> dict[str, int | None]:
    """A place as four keys, all null where there is none."""
    if where is None:
        return dict.fromkeys(attrs.fields_dict(Place))
    return attrs.asdict(where)
