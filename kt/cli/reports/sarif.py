"""The report as SARIF 2.1.0, which code scanning services read."""

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from kt import __version__
from kt.cli.reports.findings import FileReport, Finding, Place
from kt.diagnostics import CODES

VERSION = "2.1.0"
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif_log(reports: Sequence[FileReport]) -> str:
    """One run with every finding; what could not be read is a notification of the run."""
    unread = [one for one in reports if not one.is_readable]
    run = {
        "tool": {"driver": {"name": "kt", "version": __version__, "rules": _rules()}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not unread,
                "toolExecutionNotifications": [_notification(one) for one in unread],
            }
        ],
        "results": [one for report in reports if report.is_readable for one in _results(report)],
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=2)


def _rules() -> list[dict[str, Any]]:
    """Every code: its number, its name, and what it says where that is not said by the finding."""
    return [
        {
            "id": code.number,
            "name": name,
            "shortDescription": {"text": _description(name, code.template)},
            "defaultConfiguration": {"level": _level(code.is_warning)},
        }
        for name, code in CODES.items()
    ]


def _description(name: str, template: str) -> str:
    return name.replace(".", ": ").replace("_", " ") if template == "{message}" else template


def _level(is_warning: bool) -> str:
    return "warning" if is_warning else "error"


def _results(report: FileReport) -> list[dict[str, Any]]:
    errors = [_result(report.file, one, is_warning=False) for one in report.errors]
    return errors + [_result(report.file, one, is_warning=True) for one in report.warnings]


def _result(file: str, found: Finding, *, is_warning: bool) -> dict[str, Any]:
    related = [
        {**_location(file, one.place), "message": {"text": one.label}} for one in found.related
    ]
    return {
        "ruleId": found.code,
        "level": _level(is_warning),
        "message": {"text": _message(found)},
        "locations": [_location(file, found.place)],
        **({"relatedLocations": related} if related else {}),
    }


def _message(found: Finding) -> str:
    return found.message if found.hint is None else f"{found.message} (hint: {found.hint})"


def _location(file: str, place: Place | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri_of(file)}}
    if place is not None:
        physical["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }
    return {"physicalLocation": physical}


def _notification(report: FileReport) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": "; ".join(_message(one) for one in report.errors)},
        "locations": [_location(report.file, None)],
    }


def uri_of(file: str) -> str:
    """A file's name as a reference: a scheme is there only where the path is absolute."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
