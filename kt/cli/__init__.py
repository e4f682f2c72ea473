"""The command `kt`: the group of commands and what becomes of their failures.

In: the command line. Out: exit codes 0, 1 (the thing asked about is not fine), 2 (could not do it),
130 (interrupted). Never: a traceback for a user's mistake, an import that a command does not need.
"""

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

import click

from kt import __version__
from kt.errors import KtError, UsageError

Table: TypeAlias = Mapping[str, tuple[str, str, str]]

COMMANDS: Table = MappingProxyType(
    {
        "config": ("kt.cli.config", "config", "Check, compile and explain a configuration."),
        "policy": ("kt.cli.policy", "policy", "Check a configuration as `kt policy lint` did."),
        "gateway": ("kt.cli.gateway", "gateway", "Run the gateway."),
        "mock": ("kt.cli.mock", "mock", "Run a provider that is made for tests."),
        "selftest": ("kt.cli.selftest", "selftest", "Hold the gateway to its promises."),
        "demo": ("kt.cli.demo", "demo", "Show the gateway at work, without any account."),
    }
)
"""Name -> module, object and summary. A module is imported when its command is run."""

INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time, so that each of them starts fast."""

    def __init__(self, *, table: Table, **options: Any) -> None:  # Any: click.Group's own options
        """Make a group of the commands of a table like `COMMANDS`."""
        super().__init__(**options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command there is, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if cmd_name not in self.table:
            return None
        module, name, _ = self.table[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in self.table.items()])


@click.group(
    cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="kt", message="%(prog)s %(version)s")
def commands() -> None:
    """A policy gateway for LLM traffic."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; every failure that has a user's cause becomes an exit code."""
    try:
        result = commands.main(args=arguments, prog_name="kt", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as page:
        page.show()
        return 2
    except click.ClickException as error:
        return show(usage_error(error))
    except KtError as error:
        return show(error)
    except BaseExceptionGroup as group:
        return settle_group(group)
    except BrokenPipeError:
        return silence_output()
    return result if isinstance(result, int) else 0


def settle_group(group: BaseExceptionGroup[BaseException]) -> int:
    """Treat what trio wraps into groups as if it came bare; anything of ours to fix goes on."""
    interrupts, others = group.split(KeyboardInterrupt)
    mistakes, bugs = others.split(KtError) if others else (None, None)
    if bugs is not None:
        raise bugs
    if interrupts is not None:
        return INTERRUPTED
    for error in leaves(mistakes) if mistakes else ():
        show(error)
    return 2


def leaves(group: BaseExceptionGroup[KtError]) -> Iterator[KtError]:
    """The exceptions of a group and of the groups in it."""
    for member in group.exceptions:
        if isinstance(member, BaseExceptionGroup):
            yield from leaves(member)
        else:
            yield member


def usage_error(error: click.ClickException) -> UsageError:
    """The same mistake, to be shown like every other one."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "kt"
    return UsageError(error.format_message(), f"'{path} --help' tells what there is")


def show(error: KtError) -> int:
    """Say on stderr what went wrong and one thing to do."""
    click.echo(f"error: {error}", err=True)
    if isinstance(error, UsageError):
        click.echo(f"  hint: {error.hint}", err=True)
    return 2


def silence_output() -> int:
    """Let the interpreter's last flush go nowhere: the reader of our output has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1  # what click itself says when it meets the closed pipe first
