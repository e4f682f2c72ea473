"""`kt config compile`: a configuration to its plan, explained, printed or written.

In: a file and flags. Out: text or JSON on stdout, the plan in a file. Never: a plan file left
behind that is not what its configuration says.
"""

import os
import sys
from pathlib import Path

import click

from kt.cli.compiling import compile_file, settings_options
from kt.cli.explaining import Wanted, explaining_options, prove, shown
from kt.compiler import Settings
from kt.errors import UsageError
from kt.plan import Plan
from kt.planfile import write_plan


@click.command(name="compile")
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
