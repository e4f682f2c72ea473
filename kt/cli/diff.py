"""`kt config diff`: what changes for requests when one configuration takes another's place."""

import json
import sys

import click

from kt.cli.compiling import compile_file, settings_options
from kt.compiler import Settings
from kt.diff.changes import changes
from kt.diff.looser import Proof, newly_allowed
from kt.diff.show import Comparison, as_data, as_text

TRIES = 1000


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--json", "is_json", is_flag=True, help="Print the comparison as JSON.")
@click.option(
    "--requests",
    "tries",
    type=click.IntRange(2, 100_000),
    default=TRIES,
    show_default=True,
    help="Texts to generate where a proof is missing.",
)
@settings_options
def diff(old: str, new: str, is_json: bool, tries: int, settings: Settings) -> None:
    """Compare two configurations by meaning; exit with 1 if anything can newly be allowed."""
    before, after = compile_file(old, settings).plan, compile_file(new, settings).plan
    answer = newly_allowed(before, after, tries)
    comparison = Comparison(before.digest, after.digest, changes(before, after), answer)
    if is_json:
        click.echo(json.dumps(as_data(comparison), indent=2))
    else:
        click.echo(as_text(comparison), nl=False)
    sys.exit(1 if answer.proof is Proof.FOUND else 0)
