"""`kt config`: the group of the commands about configurations, each imported when it is run.

In: files and flags. Out: text, or a form for programs, on stdout; diagnostics for people on stderr;
exit codes 0 fine, 1 the configuration is not, 2 it cannot be read.
"""

from types import MappingProxyType

import click

from kt.cli import LazyGroup, Table

COMMANDS: Table = MappingProxyType(
    {
        "compile": ("kt.cli.compile", "compile_command", "Compile a configuration to a plan."),
        "diff": ("kt.cli.diff", "diff", "Compare two configurations by meaning."),
        "schema": ("kt.cli.schema", "schema", "Print the JSON Schema of a configuration."),
        "validate": ("kt.cli.validate", "validate", "Check configurations."),
    }
)


@click.group(cls=LazyGroup, table=COMMANDS)
def config() -> None:
    """Check, compile and explain a configuration."""
