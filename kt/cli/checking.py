"""Check files one after the other: what every command that reports on them has in common.

In: arguments as typed. Out: one report per file, whatever becomes of the others. Never: an
exception for what is wrong with a file, its text kept.
"""

import sys
from collections.abc import Iterable, Iterator

import attrs
import click

from kt.cli.compiling import environment, read_source
from kt.cli.files import expand
from kt.cli.reports.findings import FileReport, file_report, printable, unreadable
from kt.cli.reports.text import shown_in
from kt.compiler import Settings, compile_source
from kt.errors import ConfigError, UsageError
from kt.source import Source


def check_files(arguments: Iterable[str]) -> Iterator[FileReport]:
    """A report for every file that the arguments name, each file once."""
    seen: set[str] = set()
    for argument in arguments:
        try:
            files = expand(argument)
        except UsageError as error:
            yield unreadable(argument, error.message, error.hint)
            continue
        for file in files:
            if file not in seen:
                seen.add(file)
                yield check_file(file)


def check_file(file: str) -> FileReport:
    """Read and compile one file."""
    try:
        source = read_named(file)
    except UsageError as error:
        return unreadable(file, error.message, error.hint)
    return check_source(file, source)


def check_source(file: str, source: Source) -> FileReport:
    """Compile what a file holds."""
    try:
        compiled = compile_source(source, Settings(environment=environment()))
    except ConfigError as error:
        return file_report(file, error.report, None)
    return file_report(file, compiled.report, compiled.optimized)


def read_named(file: str) -> Source:
    """The text of a file under a name that a terminal can show. Raises UsageError."""
    source = read_source(file)
    return attrs.evolve(source, name=printable(source.name))


def say(text: str) -> None:
    """Print on stdout, whatever its encoding."""
    click.echo(shown_in(text, sys.stdout.encoding or "utf-8"))
