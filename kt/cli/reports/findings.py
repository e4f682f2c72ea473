"""What was found in a file, free of its text: what every form of a report is made from.

In: a report of the compiler, a program. Out: findings with lines and columns. Never: the text of
the file, so that a thousand files can be reported at once.
"""

import os

import attrs

from kt.compiler.program import Program
from kt.diagnostics import Diagnostic, Report, clean
from kt.source import Source, Span

UNREADABLE = "unreadable"
"""The code of what is wrong with a file that no compiler has seen."""

_NAME = 4096
"""As long as a path can be."""


@attrs.frozen(kw_only=True)
class Place:
    """A piece of a file: lines and columns count from one, the end is the first beyond it."""

    line: int
    column: int
    end_line: int
    end_column: int


@attrs.frozen
class Elsewhere:
    """Another place that belongs to a finding."""

    label: str
    place: Place


@attrs.frozen(kw_only=True)
class Finding:
    """One diagnostic, without the source that its position refers to."""

    code: str
    name: str
    message: str
    hint: str | None = None
    place: Place | None = None
    """None where there is no text to point into."""
    related: tuple[Elsewhere, ...] = ()


@attrs.frozen(kw_only=True)
class Summary:
    """What a valid configuration comes to."""

    name: str
    version: str
    chain: tuple[str, ...]
    """The kinds in declared order."""
    targets: int


@attrs.frozen(kw_only=True)
class FileReport:
    """Everything about one file."""

    file: str
    explained: str
    """What `Report.show` says, or why the file cannot be read."""
    summary: Summary | None = None
    """None where the file does not compile."""
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    more_errors: int = 0
    """How many were found beside those that are kept."""
    more_warnings: int = 0
    is_readable: bool = True

    @property
    def is_valid(self) -> bool:
        """Whether the file compiles."""
        return self.summary is not None


def file_report(file: str, report: Report, program: Program | None) -> FileReport:
    """What the compiler found in a file; no program where it found errors."""
    return FileReport(
        file=encodable(file),
        explained=report.show(),
        summary=None if program is None else summarize(program),
        errors=tuple(_finding(report.source, one) for one in report.errors),
        warnings=tuple(_finding(report.source, one) for one in report.warnings),
        more_errors=report.beyond(warnings=False),
        more_warnings=report.beyond(warnings=True),
    )


def unreadable(file: str, message: str, hint: str) -> FileReport:
    """A file of which nothing is known but why."""
    message, hint = clean(message, _NAME), clean(hint, _NAME)
    return FileReport(
        file=encodable(file),
        explained=f"error: {message}\n  hint: {hint}",
        errors=(Finding(code=UNREADABLE, name=UNREADABLE, message=message, hint=hint),),
        is_readable=False,
    )


def summarize(program: Program) -> Summary:
    """Who a program is and how much it does."""
    chain = {step.order: step.kind for step in program.steps}
    return Summary(
        name=program.name,
        version=program.version,
        chain=tuple(chain[order] for order in sorted(chain)),
        targets=len(program.targets),
    )


def encodable(name: str) -> str:
    """A file's name as text: a system's names are bytes, and not all of them are UTF-8."""
    return os.fsencode(name).decode(errors="replace")


def printable(name: str) -> str:
    """A file's name for a terminal."""
    return clean(encodable(name), _NAME)


def place_of(source: Source, span: Span) -> Place:
    """Where a span stands."""
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    return Place(line=line, column=column, end_line=end_line, end_column=end_column)


def _finding(source: Source, found: Diagnostic) -> Finding:
    return Finding(
        code=found.code.number,
        name=found.name,
        message=found.message,
        hint=found.hint,
        place=place_of(source, found.span),
        related=tuple(Elsewhere(one.label, place_of(source, one.span)) for one in found.related),
    )
