"""`kt config diff`: what changes for requests when one configuration takes another's place."""

import json
import sys

import click

from kt.cli.compiling import compile_file, settings_options
from kt.compiler import Settings
from kt.diff.changes import changes
from kt.diff.looser import Proof, newly_allowed
from kt.diff.show import Comparison, as_data, as_text


@click.command()
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
    sys.exit(compare(old, new, settings, tries, as_json=as_json))


def compare(old: str, new: str, settings: Settings, tries: int, *, as_json: bool) -> int:
    """Print the comparison of two files; the exit code, 1 if anything can newly be allowed."""
    before, after = compile_file(old, settings).plan, compile_file(new, settings).plan
    answer = newly_allowed(before, after, tries)
    comparison = Comparison(before.digest, after.digest, changes(before, after), answer)
    if as_json:
        click.echo(json.dumps(as_data(comparison), indent=2))
    else:
        click.echo(as_text(comparison), nl=False)
    return 1 if answer.proof is Proof.FOUND else 0
