"""`kt policy`: the product's older command for checking a configuration.

In: a file. Out: the product's text or JSON; exit codes 0 valid, 2 invalid or unreadable.
"""

import sys

import click

from kt.cli.checking import read_named, say
from kt.cli.compiling import environment
from kt.cli.reports.lint import invalid_text, lint_json, remarks_text, valid_text
from kt.cli.reports.remarks import LintReport, lint_report, unreadable_lint
from kt.compiler import Settings, compile_source
from kt.errors import ConfigError, UsageError


@click.group()
def policy() -> None:
    """Check a configuration, under the name of the product's older command."""


@policy.command()
@click.option("--file", required=True, metavar="FILE", help="The configuration; `-` is stdin.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lint(file: str, as_json: bool) -> None:
    """Check a configuration; `kt config validate` says more."""
    report = _check(file)
    if as_json:
        say(lint_json(report))
    else:
        _show(report)
    sys.exit(2 if report.summary is None else 0)


def _check(file: str) -> LintReport:
    try:
        compiled = compile_source(read_named(file), Settings(environment=environment()))
    except ConfigError as error:
        return lint_report(file, error.report, None)
    except UsageError as error:
        return unreadable_lint(file, error.message, error.hint)
    return lint_report(file, compiled.report, compiled.optimized)


def _show(report: LintReport) -> None:
    if report.summary is None:
        click.echo(invalid_text(report), err=True)
        return
    say(valid_text(report, report.summary))
    if report.warnings:
        click.echo(remarks_text(report.file, report.warnings, "warning"), err=True)
