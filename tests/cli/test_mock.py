"""`kt mock run`: its options, its one line, its end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import click
import pytest

from kt import cli
from kt.cli import mock


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
    ("text", "expected"),
    [
        ("127.0.0.1:9001", ("127.0.0.1", 9001)),
        ("[::1]:0", ("::1", 0)),
        (":80", ("127.0.0.1", 80)),
    ],
)
def test_an_address_is_read(text: str, expected: tuple[str, int]) -> None:
    assert mock.address(text) == expected


@pytest.mark.parametrize("text", ["", "host", "host:", "host:x", "host:65536", "host:٣", "h:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        mock.address(text)


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
