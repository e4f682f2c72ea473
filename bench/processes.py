"""Processes on a loopback port: started on a core, weighed by /proc, loaded, ended by their ids.

In: a `Side` and a port. Out: readiness, processor time, memory, and what the load generator saw.
Never: a process ended that was not started here.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import attrs

HERE = Path(__file__).parent
CACHE = HERE.parent / ".bench"
"""What is built and installed for the benchmarks; git ignores it."""
SERVER_CORE = "0"
CLIENT_CORE = "1"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 90.0
"""Seconds in which a gateway must answer for the first time."""


@attrs.frozen(kw_only=True)
class Side:
    """One gateway, or none, as it is started and asked."""

    name: str
    command: tuple[str, ...]
    """Empty for the provider itself."""
    port: int
    headers: tuple[str, ...] = ()
    environment: dict[str, str] = attrs.field(factory=dict)
    path: str = "/v1/chat/completions"
    model_prefix: str = ""
    port_file: Path | None = None
    """Where a gateway writes the port that it chose itself."""


@attrs.frozen
class Load:
    """How a side is asked, and for how long at most."""

    connections: int = 8
    rate: float = 0.0
    """Requests per second; none: every connection asks as soon as it is answered."""
    seconds: float = 3.0
    requests: int = 1_000_000


def body_of(size: int = 1024, model: str = "mock", stream: bool = False) -> bytes:
    """A chat request with a prompt of so many bytes that no policy objects to."""
    text = "Please summarize order 4711 of the second quarter for the team, and name the owners. "
    prompt = (text * (size // len(text) + 1))[:size]
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": stream}
    return json.dumps(body).encode()


class Running:
    """A started side. Raises RuntimeError for one that ends or never answers."""

    def __init__(self, side: Side, environment: dict[str, str] | None = None) -> None:
        self.side = side
        self.port = side.port
        self._process: subprocess.Popen[bytes] | None = None
        started = monotonic()
        if side.command:
            self._start({**os.environ, **side.environment, **(environment or {})})
            try:
                self._until_ready(started + PATIENCE)
            except BaseException:  # nobody else knows of it yet
                self.stop()
                raise
        self.startup = monotonic() - started

    def _start(self, environment: dict[str, str]) -> None:
        if self.side.port_file is not None:
            self.side.port_file.unlink(missing_ok=True)
        self._log = CACHE / "run" / f"{slug(self.side.name)}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", SERVER_CORE, *self.side.command],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=CACHE / "run",
            )

    def _until_ready(self, end: float) -> None:
        assert self._process is not None  # noqa: S101
        while not self._is_ready():
            if self._process.poll() is not None or monotonic() > end:
                said = self._log.read_text(errors="replace")[-1500:]
                raise RuntimeError(f"{self.side.name} does not answer:\n{said}")
            sleep(0.02)

    def _is_ready(self) -> bool:
        written = self.side.port_file
        if written is not None:
            if not (written.exists() and written.read_text()):
                return False
            self.port = int(written.read_text())
        try:
            return self.ask()[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def request(self, body: bytes) -> bytes:
        """The request as it goes over the wire."""
        body = body.replace(b'{"model": "', b'{"model": "' + self.side.model_prefix.encode(), 1)
        lines = (
            f"POST {self.side.path} HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "accept: application/json",
            "content-type: application/json",
            f"content-length: {len(body)}",
            *self.side.headers,
        )
        return "\r\n".join([*lines, "", ""]).encode() + body

    def ask(self) -> tuple[int, dict[str, str]]:
        """One request, and the status and headers of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            client.sendall(self.request(body_of()))
            answer = http.client.HTTPResponse(client)
            answer.begin()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def load(self, load: Load, body: bytes | None = None) -> dict[str, float]:
        """What the generator saw, and the processor time of this side for each request."""
        file = CACHE / "run" / f"{slug(self.side.name)}.request"
        file.write_bytes(self.request(body or body_of()))
        numbers = (self.port, file, load.connections, load.rate, load.seconds, load.requests)
        before = self.cpu_seconds()
        printed = subprocess.check_output(
            ["taskset", "-c", CLIENT_CORE, str(CACHE / "generator"), *map(str, numbers)]
        )
        seen: dict[str, float] = json.loads(printed)
        asked = seen["answered"] + seen["refused"] + seen["failed"]
        if self._process is not None:
            seen["cpu_us"] = (self.cpu_seconds() - before) / max(1, asked) * 1e6
        return seen

    def pids(self) -> list[int]:
        """The process and all below it."""
        return [] if self._process is None else list(family(self._process.pid))

    def cpu_seconds(self) -> float:
        """Processor time so far, children that ended included."""
        return sum(sum(map(int, fields[11:15])) for fields in map(stat, self.pids())) / TICKS

    def memory_kib(self) -> int:
        """Memory, with what is shared counted in parts."""
        return sum(map(proportional, self.pids()))

    def stop(self) -> None:
        """End the process and all below it."""
        if self._process is None:
            return
        pids = self.pids()
        self._process.terminate()
        try:
            self._process.wait(8)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in pids[1:]:
            kill(pid)


def slug(name: str) -> str:
    """A name for files."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: zeros for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20


def family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    parents = {
        int(path.name): int(stat(int(path.name))[1]) for path in Path("/proc").glob("[0-9]*")
    }
    todo = [pid]
    while todo:
        one = todo.pop()
        yield one
        todo += [child for child, parent in parents.items() if parent == one]


def proportional(pid: int) -> int:
    """The proportional set of a process, in KiB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def kill(pid: int) -> None:
    """End what outlived its parent."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def start_mock() -> tuple[subprocess.Popen[bytes], int]:
    """The provider, on the core of the load generator, and its port."""
    command = ["taskset", "-c", CLIENT_CORE, sys.executable, str(HERE / "mock.py")]
    mock = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert mock.stdout is not None  # noqa: S101
    with mock.stdout as said:
        return mock, int(said.readline())
