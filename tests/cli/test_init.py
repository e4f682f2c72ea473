"""The command group: what it imports, and what failures look like."""

import subprocess
import sys

import click
import pytest

from kt import __version__, cli
from kt.errors import GatewayError, UsageError


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code of a command that raises."""

    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)
    return cli.run(["anything"])


def test_a_mistake_is_one_line_and_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, UsageError("no such file", "check the path")) == 2
    assert capsys.readouterr().err == "error: no such file\n  hint: check the path\n"


def test_a_mistake_inside_a_nursery_looks_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    group = BaseExceptionGroup("", [ExceptionGroup("", [UsageError("first", "one")])])
    assert failing(monkeypatch, group) == 2
    assert capsys.readouterr().err == "error: first\n  hint: one\n"


def test_an_error_without_a_hint_has_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, GatewayError("draining", "going down")) == 2
    assert capsys.readouterr().err == "error: going down\n"


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), click.Abort(), BaseExceptionGroup("", [KeyboardInterrupt()])],
    ids=lambda error: type(error).__name__,
)
def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    assert failing(monkeypatch, error) == 130


@pytest.mark.parametrize(
    "error", [ValueError(), ExceptionGroup("", [ValueError()])], ids=["bare", "group"]
)
def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with pytest.raises(type(error)):
        failing(monkeypatch, error)


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"]])
def test_an_unknown_word_is_a_mistake(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: No such ")
    assert error.endswith("hint: 'kt --help' tells what there is\n")


def test_without_arguments_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"kt {__version__}\n"


def test_a_number_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    command = click.Command("answer", callback=lambda: 1)
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)
    assert cli.run(["answer"]) == 1


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.slow
def test_the_version_needs_no_server_and_no_parser() -> None:
    heavy = "{'trio', 'hypercorn', 'httpx', 'yaml', 'lark', 're2', 'rich'}"
    code = f"import sys, kt.cli; kt.cli.run(['--version']); print({heavy} & set(sys.modules))"
    assert run_python(code).stdout.splitlines()[-1] == "set()"


@pytest.mark.slow
def test_a_reader_that_left_is_no_traceback() -> None:
    code = (
        "import os, sys, kt.cli\n"
        "reader, writer = os.pipe()\n"
        "os.close(reader)\n"
        "os.dup2(writer, 1)\n"
        "kt.cli.main(['--help'])\n"
    )
    result = run_python(code)
    assert (result.returncode, result.stderr) == (1, "")


def test_every_command_has_a_summary_and_a_place() -> None:
    for module, name, summary in cli.COMMANDS.values():
        assert module.startswith("kt.cli.")
        assert name.isidentifier()
        assert summary.endswith(".")
