"""The docs are true: every command that they show is run, and its output is what they show.

A block fenced as `console` holds commands (`$ ...`) and their output; `...` stands for anything,
within a line or for whole lines. `<!-- file: NAME -->` in front of a block makes it a file. A
command that ends in `&` goes on running until the document ends; it is ready when it has printed
the lines that the document shows. Each document has a directory of its own, and its ports are
replaced by free ones.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(
    r"(?:<!-- file: (?P<name>[\w./-]+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)```", re.DOTALL
)
PORT = re.compile(r"(?<=:)(?:41002|910\d)\b")
LONGEST = 60.0
RUN_BY_MAKE = ("make ", "git ")
"""Commands that set up what these tests already run in; the build itself shows that they work."""


@attrs.frozen
class Shown:
    """One command and the output that a document shows for it."""

    command: str
    output: str


def shown_in(block: str) -> Iterator[Shown]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = command[:-1] + more.removeprefix("> ").strip()
        yield Shown(command, output)


def pattern_of(output: str) -> str:
    """A regular expression for an output in which `...` stands for anything."""
    lines = [
        "(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in output.splitlines()
    ]
    return "".join(lines)


class Session:
    """One document being worked through."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports: dict[str, str] = {}
        self.running: list[subprocess.Popen[str]] = []

    def local(self, text: str) -> str:
        """The text with every port replaced by a free one, always the same."""
        return PORT.sub(lambda match: self._port(match[0]), text)

    def _port(self, written: str) -> str:
        if written not in self.ports:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.ports[written] = str(free.getsockname()[1])
        return self.ports[written]

    def run(self, shown: Shown) -> None:
        """Run a command and compare its output."""
        command, expected = self.local(shown.command), pattern_of(self.local(shown.output))
        if command.endswith("&"):
            self._start(command.removesuffix("&").strip(), shown.output.count("\n"), expected)
            return
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        assert re.fullmatch(expected, done.stdout), f"$ {shown.command}\n{done.stdout}"

    def _start(self, command: str, lines: int, expected: str) -> None:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.directory,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(lines))
        assert re.fullmatch(expected, printed), f"$ {command}\n{printed}"

    def environment(self) -> dict[str, str]:
        """The commands find this project's `kt`, and keep their state in the document's directory."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "KEEPTRUSTS_STATE_DIR": str(self.directory / "state"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def close(self) -> None:
        """End every process that is still running, and see that it ends well."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LONGEST)
            assert process.returncode in (0, 130)


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_prints_what_the_document_shows(document: Path, tmp_path: Path) -> None:
    session = Session(tmp_path)
    try:
        for block in BLOCK.finditer(document.read_text()):
            if block["name"]:
                path = tmp_path / block["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(session.local(block["text"]))
            elif block["kind"] == "console":
                for shown in shown_in(block["text"]):
                    if not shown.command.startswith(RUN_BY_MAKE):
                        session.run(shown)
    finally:
        session.close()


def test_a_wrong_output_is_found(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.run(Shown("echo one two", "one ...\n"))
    with pytest.raises(AssertionError, match="one two"):
        session.run(Shown("echo one two", "one three\n"))
