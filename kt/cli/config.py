"""`kt config`: check, compile, explain and describe a configuration.

In: files and flags. Out: text, or a form for programs, on stdout; diagnostics for people on stderr;
exit codes 0 fine, 1 the configuration is not, 2 it cannot be read.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import click

from kt.cli.checking import check_files, say
from kt.cli.compiling import compile_file, settings_options
from kt.cli.explaining import Wanted, explaining_options, prove, shown
from kt.cli.reports.document import json_document
from kt.cli.reports.findings import FileReport
from kt.cli.reports.github import workflow_commands
from kt.cli.reports.sarif import sarif_log
from kt.cli.reports.text import fine_line, strict_line
from kt.compiler import Settings
from kt.compiler.schema import schema_text
from kt.errors import UsageError
from kt.plan import Plan
from kt.planfile import write_plan

TEXT = "text"

FORMS: Mapping[str, Callable[[Sequence[FileReport]], str]] = MappingProxyType(
    {"json": json_document, "github": workflow_commands, "sarif": sarif_log}
)
"""What `--format` offers beside text, which is printed file by file."""


@click.group()
def config() -> None:
    """Check, compile and explain a configuration."""


@config.command()
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
    if shown := FORMS[form](reports):
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


@config.command()
def schema() -> None:
    """Print the JSON Schema of a configuration, for editors."""
    click.echo(schema_text())


@config.command()
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="Show the comparison as JSON.")
@click.option(
    "--requests",
    "tries",
    type=click.IntRange(2, 100_000),
    default=1000,
    show_default=True,
    help="Texts to generate where a proof is missing.",
)
@settings_options
def diff(old: str, new: str, as_json: bool, tries: int, settings: Settings) -> None:
    """Compare two configurations by meaning; fails if anything can newly be allowed."""
    from kt.cli.diff import compare  # NOT: at the top. It runs both, and `validate` starts fast.

    sys.exit(compare(old, new, settings, tries, as_json=as_json))


@config.command(name="compile")
@click.argument("file")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PLAN",
    help="Write the plan to this file.",
)
@settings_options
@explaining_options
def compile_command(file: str, output: Path | None, settings: Settings, wanted: Wanted) -> None:
    """Compile a configuration to a plan, and explain, print or write it; `-` is standard input."""
    if (
        output is not None
        and os.path.exists(file)
        and os.path.realpath(file) == str(output.resolve())
    ):
        raise UsageError("the plan would overwrite its configuration", "name another file")
    compiled = compile_file(file, settings)
    if wanted.is_explicit or output is None:
        click.echo(shown(compiled, wanted), nl=False)
    if wanted.verify is not None and not prove(compiled, wanted.verify):
        sys.exit(1)
    if output is not None:  # last: a plan that is not what its file says is not left behind
        save_plan(compiled.plan, output)


def save_plan(plan: Plan, output: Path) -> None:
    """Write the plan file. Raises UsageError where that cannot be done."""
    try:
        output.write_bytes(write_plan(plan) + b"\n")
    except OSError as error:
        hint = "name a file in a directory that can be written"
        raise UsageError(f"cannot write {output}: {error.strerror}", hint) from None
