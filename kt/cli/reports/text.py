"""The report for people: one line for what is fine; place, excerpt and hint for what is not."""

from kt.cli.reports.findings import FileReport, Summary, printable


def fine_line(report: FileReport, summary: Summary) -> str:
    """That a file is fine, who it is and how much it does."""
    return f"OK {printable(report.file)}: {summary_line(summary)}"


def strict_line(report: FileReport) -> str:
    """That a file fails for its warnings alone."""
    count = counted(len(report.warnings), "warning", "warnings")
    return f"error: {printable(report.file)} has {count}\n  hint: without --strict they do not fail"


def summary_line(summary: Summary) -> str:
    """A plan in one line."""
    policies = counted(len(summary.chain), "policy", "policies")
    targets = counted(summary.targets, "target", "targets")
    return f"{summary.name}@{summary.version}, {policies}, {targets}"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def shown_in(text: str, encoding: str) -> str:
    """A text with what an encoding does not have escaped, so that printing it never fails."""
    return text.encode(encoding, "backslashreplace").decode(encoding)
