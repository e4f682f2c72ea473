"""`kt config`: check, compile and explain a configuration.

In: files and flags. Out: text, or JSON, on stdout; diagnostics on stderr; exit codes 0 fine, 1 the
configuration is not, 2 it cannot be read.
"""

import sys
from pathlib import Path

import click

from kt.cli.compiling import compile_file, read_source, settings_options, show_warnings
from kt.compiler import Settings, compile_source
from kt.errors import ConfigError, UsageError
from kt.explain import explain_text, to_document
from kt.plan import Plan
from kt.policy import Phase


@click.group()
def config() -> None:
    """Check, compile and explain a configuration."""


@config.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def validate(files: tuple[str, ...]) -> None:
    """Check configurations; `-` is standard input. Warnings do not fail."""
    sys.exit(max([_validate(file) for file in files]))


def _validate(file: str) -> int:
    """The exit code of one file; all are checked, whatever becomes of one."""
    try:
        compiled = compile_source(read_source(file))
    except ConfigError as error:
        click.echo(error.report.show(), err=True)
        return 1
    except UsageError as error:
        click.echo(f"error: {error.message}\n  hint: {error.hint}", err=True)
        return 2
    show_warnings(compiled)
    click.echo(f"OK {file}: {summary(compiled.plan)}")
    return 0


def summary(plan: Plan) -> str:
    """A plan in one line: who it is and how much it does."""
    phases = (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT)
    entries = {step.order for phase in phases for step in plan.steps(phase)}
    policies = _counted(len(entries), "policy", "policies")
    targets = _counted(len(plan.targets), "target", "targets")
    return f"{plan.name}@{plan.version}, {policies}, {targets}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


@config.command(name="compile")
@click.argument("file")
@click.option("--explain", is_flag=True, help="Show the plan as text (the default).")
@click.option("--json", "as_json", is_flag=True, help="Show the plan as JSON.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PLAN",
    help="Write the plan to this file.",
)
@settings_options
def compile_command(
    file: str, explain: bool, as_json: bool, output: Path | None, settings: Settings
) -> None:
    """Compile a configuration to a plan, and explain, print or write it; `-` is standard input."""
    if explain and as_json:
        raise UsageError("--explain and --json ask for different outputs", "choose one of them")
    plan = compile_file(file, settings).plan
    if output is not None:
        write_plan(plan, output)
    if as_json:
        click.echo(to_document(plan).decode())
    elif explain or output is None:
        click.echo(explain_text(plan), nl=False)


def write_plan(plan: Plan, output: Path) -> None:
    """Write the plan file. Raises UsageError where that cannot be done."""
    try:
        output.write_bytes(to_document(plan) + b"\n")
    except OSError as error:
        hint = "name a file in a directory that can be written"
        raise UsageError(f"cannot write {output}: {error.strerror}", hint) from None
