"""`kt mock run`: its options, its one line, its end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from kt import cli


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A mock in a process of its own, and where it answers."""
    command = [sys.executable, "-m", "kt", "mock", "run", "--listen", "127.0.0.1:0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, line
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_says_where_it_is_and_ends_with_a_signal(number: int, code: int) -> None:
    with running("--chunks", "2") as (process, line):
        start, _, url = line.strip().rpartition(" ")
        assert start == "mock provider on"
        with urlopen(f"{url}/v1/models", timeout=10) as answer:  # noqa: S310
            assert answer.status == 200
        process.send_signal(number)
        rest, _ = process.communicate(timeout=10)
    assert (process.returncode, rest) == (code, "")


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "nowhere"],
        ["--delay", "5"],
        ["--fault", "explode"],
        ["--status", "200"],
        ["--fail-rate", "2"],
        ["--status", "500", "--fault", "cut"],
        ["--listen", "203.0.113.1:80"],
    ],
)
def test_a_mistake_is_told_in_two_lines(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["mock", "run", *options]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("  hint: ")
