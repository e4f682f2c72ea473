"""The report as workflow commands: GitHub shows them beside the lines of a change."""

from collections.abc import Iterator, Sequence

from kt.cli.reports.findings import FileReport, Finding


def workflow_commands(reports: Sequence[FileReport]) -> str:
    """One command per finding, and one that counts those that were not kept."""
    return "\n".join(line for report in reports for line in _lines(report))


def _lines(report: FileReport) -> Iterator[str]:
    yield from (_command("error", report.file, one) for one in report.errors)
    yield from (_command("warning", report.file, one) for one in report.warnings)
    if report.more_errors or report.more_warnings:
        more = f"{report.more_errors} more errors, {report.more_warnings} more warnings"
        yield f"::notice file={_property(report.file)}::{more}"


def _command(level: str, file: str, found: Finding) -> str:
    place = "" if found.place is None else f",line={found.place.line},col={found.place.column}"
    message = found.message if found.hint is None else f"{found.message}\nhint: {found.hint}"
    title = _property(found.code)
    return f"::{level} file={_property(file)}{place},title={title}::{_data(message)}"


def _data(text: str) -> str:
    """What follows `::`: without escapes a line break would begin a command of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
