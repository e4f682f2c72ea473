"""`kt config schema`: the JSON Schema of a configuration, for editors."""

import click

from kt.compiler.schema import schema_text


@click.command()
def schema() -> None:
    """Print the JSON Schema of a configuration, for editors."""
    click.echo(schema_text())
