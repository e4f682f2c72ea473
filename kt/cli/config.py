"""`kt config`: check, compile and explain a configuration.

In: files, flags, the environment. Out: text, or JSON, on stdout; diagnostics on stderr; exit codes
0 fine, 1 the configuration is not, 2 it cannot be read.
"""

import sys
from pathlib import Path

import click
from click.core import ParameterSource

from kt.compiler import Compiled, Setting, Settings, Upstream, compile_source
from kt.compiler.model import MANY
from kt.compiler.reader import MAX_BYTES
from kt.errors import ConfigError, UsageError
from kt.explain import explain_text, to_document
from kt.plan import Plan
from kt.policy import OnTrouble, Phase
from kt.source import Source

CONCURRENCY_VARIABLE = "KEEPTRUSTS_GATEWAY_MAX_CONCURRENCY"
"""Overrules the file and is overruled by `--max-concurrency`."""

STANDARD_INPUT = "-"


@click.group()
def config() -> None:
    """Check, compile and explain a configuration."""


@config.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def validate(files: tuple[str, ...]) -> None:
    """Check configurations; `-` is standard input. Warnings do not fail."""
    sys.exit(max([_validate(file) for file in files]))


def _validate(file: str) -> int:
    try:
        compiled = compile_source(read_source(file))
    except ConfigError as error:
        click.echo(error.report.show(), err=True)
        return 1
    except UsageError as error:
        click.echo(f"error: {error.message}\n  hint: {error.hint}", err=True)
        return 2
    show_warnings(compiled)
    click.echo(f"OK {file}: {_summary(compiled)}")
    return 0


def _summary(compiled: Compiled) -> str:
    plan = compiled.plan
    steps = {step.order for phase in Phase if phase is not Phase.TOOL for step in plan.steps(phase)}
    policies = _counted(len(steps), "policy", "policies")
    targets = _counted(len(plan.targets), "target", "targets")
    return f"{plan.name}@{plan.version}, {policies}, {targets}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


@config.command(name="compile")
@click.argument("file")
@click.option("--explain", is_flag=True, help="Show the plan as text (the default).")
@click.option("--json", "as_json", is_flag=True, help="Show the plan as JSON.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan here."
)
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
@click.pass_context
def compile_file(
    context: click.Context,
    file: str,
    explain: bool,
    as_json: bool,
    output: Path | None,
    fail_mode: str | None,
    max_concurrency: int | None,
    upstreams: tuple[str, ...],
) -> None:
    """Compile a configuration to a plan, and explain, print or write it."""
    settings = Settings(
        max_concurrency=_concurrency(context, max_concurrency),
        upstreams=tuple(read_upstream(text) for text in upstreams),
        fail_mode=None if fail_mode is None else OnTrouble(fail_mode),
    )
    try:
        compiled = compile_source(read_source(file), settings)
    except ConfigError as error:
        click.echo(error.report.show(), err=True)
        sys.exit(1)
    show_warnings(compiled)
    _deliver(compiled.plan, output, as_json=as_json, explain=explain)


def _deliver(plan: Plan, output: Path | None, *, as_json: bool, explain: bool) -> None:
    if output is not None:
        write_plan(plan, output)
    if as_json:
        click.echo(to_document(plan).decode())
    if explain or not (as_json or output):
        click.echo(explain_text(plan), nl=False)


def write_plan(plan: Plan, output: Path) -> None:
    """Write the plan file. Raises UsageError where that cannot be done."""
    try:
        output.write_bytes(to_document(plan) + b"\n")
    except OSError as error:
        hint = "name a file in a directory that can be written"
        raise UsageError(f"cannot write {output}: {error.strerror}", hint) from None


def _concurrency(context: click.Context, value: int | None) -> Setting | None:
    if value is None:
        return None
    source = context.get_parameter_source("max_concurrency")
    is_flag = source is ParameterSource.COMMANDLINE
    return Setting(value, "--max-concurrency" if is_flag else CONCURRENCY_VARIABLE)


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


def _read(file: str) -> bytes:
    """At most one byte more than a configuration may have, whatever is behind the name."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with open(file, "rb") as opened:
        return opened.read(MAX_BYTES + 1)


def show_warnings(compiled: Compiled) -> None:
    """Write the warnings, which fail nothing, to stderr."""
    if compiled.report.warnings:
        click.echo(compiled.report.show(), err=True)
