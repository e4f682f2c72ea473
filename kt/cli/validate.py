"""`kt config validate`: check files, and say what is wrong with them in the form that is asked for.

In: files, directories, patterns. Out: one report per file; exit codes 0 fine, 1 a configuration is
not, 2 one cannot be read. Never: an import that checking does not need.
"""

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

from kt.cli.checking import check_files, say
from kt.cli.reports.findings import FileReport
from kt.cli.reports.text import fine_line, strict_line

TEXT = "text"

FORMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "json": ("kt.cli.reports.document", "json_document"),
        "github": ("kt.cli.reports.github", "workflow_commands"),
        "sarif": ("kt.cli.reports.sarif", "sarif_log"),
    }
)
"""What `--format` offers beside text, which is printed file by file: module and function."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice([TEXT, *FORMS]),
    default=TEXT,
    help="For people (the default), programs, GitHub's annotations or code scanning.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail.")
def validate(files: tuple[str, ...], form: str, strict: bool) -> None:
    """Check configurations: files, directories, patterns, or `-` for standard input."""
    if form == TEXT:
        sys.exit(max([_show(report, strict=strict) for report in check_files(files)]))
    reports = tuple(check_files(files))
    module, function = FORMS[form]
    if shown := getattr(importlib.import_module(module), function)(reports):
        say(shown)
    sys.exit(max(_exit_code(report, strict=strict) for report in reports))


def _show(report: FileReport, *, strict: bool) -> int:
    """Print what a person wants to know of a file; its exit code."""
    code = _exit_code(report, strict=strict)
    if report.explained:
        click.echo(report.explained, err=True)
    if report.summary is None:
        return code
    if code:
        click.echo(strict_line(report), err=True)
    else:
        say(fine_line(report, report.summary))
    return code


def _exit_code(report: FileReport, *, strict: bool) -> int:
    if not report.is_readable:
        return 2
    return 1 if not report.is_valid or (strict and report.warnings) else 0
