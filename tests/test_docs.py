"""The docs are true: every command that they show is run, and its output is what they show.

A block fenced as `console` holds commands (`$ ...`) and their output; `...` stands for anything,
within a line or for whole lines. `<!-- file: NAME -->` in front of a block makes it a file. A
command that ends in `&` goes on running until the document ends; it is ready when it has printed
the lines that the document shows, and `kill %N` ends it, numbered as in bash. Each document has a
home directory of its own, and its ports are replaced by free ones. What tables list (keys, errors,
metrics) is compared with the code.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import attrs
import pytest

from kt.compiler.model import Config
from kt.compiler.shapes import SYNONYMS
from kt.errors import REFUSALS
from kt.runtime.metrics import Metrics

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"(?:<!-- file: (?P<name>[\w./-]+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)```", re.DOTALL
)
PORT = re.compile(r"(?<=:)(?:41002|910\d)\b")
KILL = re.compile(r"kill %(\d+)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
ROW = re.compile(r"^\| `([^`]+)` \|(.*)$", re.MULTILINE)
BASH = ("/usr/bin/env", "bash")
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
    """A regular expression for an output in which `...` stands for anything.

    The last line break may be missing: curl prints none.
    """
    lines = [
        "(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in output.splitlines()
    ]
    return re.sub(r"\n\Z", r"\n?", "".join(lines))


class Session:
    """One document being worked through."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports: dict[str, str] = {}
        self.jobs: dict[int, subprocess.Popen[str]] = {}

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
        if (kill := KILL.fullmatch(command)) is not None:
            printed = end(self.jobs.pop(int(kill[1])))
            assert re.fullmatch(expected, printed), f"$ {command}\n{printed}"
            return
        if command.endswith("&"):
            self._start(command.removesuffix("&").strip(), shown.output.count("\n"), expected)
            return
        done = subprocess.run(
            [*BASH, "-c", command],
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
            [*BASH, "-c", f"exec {command}"],
            cwd=self.directory,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.jobs[max(self.jobs, default=0) + 1] = process
        assert process.stdout is not None
        watchdog = threading.Timer(LONGEST, process.kill)
        watchdog.start()
        printed = "".join(process.stdout.readline() for _ in range(lines))
        watchdog.cancel()
        assert re.fullmatch(expected, printed), f"$ {command}\n{printed}"

    def environment(self) -> dict[str, str]:
        """The commands find this project's `kt`, and are at home in the document's directory."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def close(self) -> None:
        """End every process that is still running, and see that it ends well."""
        for process in self.jobs.values():
            end(process)


def end(process: subprocess.Popen[str]) -> str:
    """End a process, see that it ends well, and return what it had left to say."""
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=LONGEST)
    assert process.returncode in (0, 130)
    return printed


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


def test_an_output_that_is_too_short_or_too_long_is_found(tmp_path: Path) -> None:
    session = Session(tmp_path)
    for expected in ("one\n", "one\ntwo\nthree\n"):
        with pytest.raises(AssertionError, match="two"):
            session.run(Shown("printf 'one\\ntwo\\n'", expected))
    session.run(Shown("printf 'one\\ntwo'", "one\ntwo\n"))


def test_a_background_command_runs_until_it_is_killed(tmp_path: Path) -> None:
    session = Session(tmp_path)
    waiting = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    (tmp_path / "wait.sh").write_text(waiting)
    session.run(Shown("bash wait.sh &", "ready\n"))
    waiting_process = session.jobs[1]
    assert waiting_process.poll() is None
    session.run(Shown("kill %1", "bye\n"))
    assert waiting_process.returncode == 0
    assert session.jobs == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_map_links_every_decision() -> None:
    links = LINK.findall((ROOT / "docs" / "architecture.md").read_text())
    pages = {f"decisions/{path.name}" for path in (ROOT / "docs" / "decisions").iterdir()}
    assert {link for link in links if link.startswith("decisions/")} == pages


def keys_of(model: type, place: str = "") -> Iterator[tuple[str, bool]]:
    """Every key below a section of the configuration, and whether something acts on it."""
    hints = get_type_hints(model)
    for field in attrs.fields(model):
        if field.metadata.get("located"):
            continue
        name = f"{place}.{field.name}".lstrip(".")
        inner = [
            one for one in (hints[field.name], *get_args(hints[field.name])) if is_section(one)
        ]
        if inner:
            yield from keys_of(inner[0], name)
        else:
            yield name, bool(field.metadata.get("is_enforced", True))


def is_section(annotation: object) -> bool:
    """Whether a field's type is a map with keys of its own."""
    return isinstance(annotation, type) and hasattr(annotation, "SECTION")


def rows_of(page: str) -> dict[str, str]:
    """The first column of a page's tables, and what stands behind it."""
    return dict(ROW.findall((ROOT / "docs" / page).read_text()))


def test_the_configuration_page_has_every_key_and_says_what_acts() -> None:
    rows = rows_of("config.md")
    model = dict(keys_of(Config))
    accepted = {name for name, _ in SYNONYMS}
    assert rows.keys() - accepted == model.keys()
    assert {name for name in model if "not enforced" in rows[name]} == {
        name for name, acts in model.items() if not acts
    }


def test_the_configuration_page_has_every_spelling() -> None:
    rows = rows_of("config.md")
    assert {name: rows[name].strip(" |`") for name, _ in SYNONYMS} == dict(SYNONYMS)


def test_the_operations_page_has_every_error() -> None:
    cells = {name: text.split("|")[0].strip() for name, text in rows_of("operations.md").items()}
    listed = {name: int(status) for name, status in cells.items() if status.isdigit()}
    assert listed == {code: refusal.status for code, refusal in REFUSALS.items()}


def test_the_operations_page_has_every_metric() -> None:
    page = Metrics("digest", "1.0.0", lambda: 0, lambda: 0).page().decode()
    served = set(re.findall(r"^# TYPE (keeptrusts_\w+?)(?:_created)? ", page, re.MULTILINE))
    listed = {name for name in rows_of("operations.md") if name.startswith("keeptrusts_")}
    assert {name.removesuffix("_total") for name in listed} == {
        name.removesuffix("_total") for name in served
    }
