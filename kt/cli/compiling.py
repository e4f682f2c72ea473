"""What every command that compiles has in common: the flags that change a plan, reading, failing.

In: files, flags, the environment. Out: a compiled plan, warnings on stderr; exit code 1 with the
diagnostics where the configuration does not compile.
"""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from kt.compiler import Compiled, Setting, Settings, Upstream, compile_source
from kt.compiler.fields import MANY
from kt.compiler.reader import MAX_BYTES
from kt.errors import ConfigError, UsageError
from kt.policy import OnTrouble
from kt.source import Source

CONCURRENCY_VARIABLE = "KEEPTRUSTS_GATEWAY_MAX_CONCURRENCY"
"""Overrules the file and is overruled by `--max-concurrency`."""

STANDARD_INPUT = "-"

Command = Callable[..., Any]  # Any: click calls it with whatever its options give


def settings_options(command: Command) -> Command:
    """Give a command the flags that change a plan; it gets them as `settings`."""

    @click.option(
        "--fail-mode",
        type=click.Choice([mode.value for mode in OnTrouble]),
        help="What becomes of a check that cannot answer (default: block).",
    )
    @click.option(
        "--max-concurrency",
        type=click.IntRange(1, MANY),
        envvar=CONCURRENCY_VARIABLE,
        show_envvar=True,
        help="Requests that run at once (default: the file's, else 16).",
    )
    @click.option(
        "--upstream",
        "upstreams",
        multiple=True,
        metavar="[TARGET=]URL",
        help="Ask this URL instead of a target's, or of every target's.",
    )
    @wraps(command)
    def with_settings(
        *args: object,
        fail_mode: str | None,
        max_concurrency: int | None,
        upstreams: tuple[str, ...],
        **kwargs: object,
    ) -> Any:
        settings = Settings(
            max_concurrency=_concurrency(max_concurrency),
            upstreams=tuple(read_upstream(text) for text in upstreams),
            fail_mode=None if fail_mode is None else OnTrouble(fail_mode),
            environment=environment(),
        )
        return command(*args, settings=settings, **kwargs)

    return with_settings


def compile_file(file: str | Path, settings: Settings) -> Compiled:
    """Compile a file; where that fails, print why and exit with 1."""
    try:
        compiled = compile_source(read_source(str(file)), settings)
    except ConfigError as error:
        click.echo(error.report.show(), err=True)
        sys.exit(1)
    show_warnings(compiled)
    return compiled


def environment() -> dict[str, str]:
    """What the variables of a configuration stand for."""
    return dict(os.environ)


def read_upstream(text: str) -> Upstream:
    """The meaning of `[TARGET=]URL`: a URL may hold `=`, but not before its `://`."""
    target, separator, url = text.partition("=")
    if separator and "://" not in target:
        return Upstream(url, target)
    return Upstream(text)


def read_source(file: str) -> Source:
    """The text of a file, `-` for standard input. Raises UsageError where it cannot be read."""
    try:
        data = _read(file)
    except OSError as error:
        hint = "check the path and its permissions"
        raise UsageError(f"cannot read {file}: {error.strerror}", hint) from None
    if len(data) > MAX_BYTES:
        return Source(file, data.decode(errors="replace"))  # the reader refuses it, with its code
    try:
        return Source("<stdin>" if file == STANDARD_INPUT else file, data.decode())
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {file}: it is not UTF-8", "save it as UTF-8") from None


def show_warnings(compiled: Compiled) -> None:
    """Write the warnings, which fail nothing, to stderr."""
    if compiled.report.warnings:
        click.echo(compiled.report.show(), err=True)


def _concurrency(value: int | None) -> Setting | None:
    if value is None:
        return None
    source = click.get_current_context().get_parameter_source("max_concurrency")
    is_flag = source is ParameterSource.COMMANDLINE
    return Setting(value, "--max-concurrency" if is_flag else CONCURRENCY_VARIABLE)


def _read(file: str) -> bytes:
    """At most one byte more than a configuration may have, whatever is behind the name."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with open(file, "rb") as opened:
        return opened.read(MAX_BYTES + 1)
