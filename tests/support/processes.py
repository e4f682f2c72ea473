"""`kt` as a process of its own: started, ready, ended by its pid."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs

END_SECONDS = 20.0


@attrs.frozen
class Process:
    """A running command that has said where it listens."""

    popen: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to end; its exit code and what it still printed."""
        self.popen.send_signal(number)
        output, errors = self.popen.communicate(timeout=END_SECONDS)
        return self.popen.returncode, output + errors


@contextmanager
def kt(
    *arguments: str, state: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a `kt` command that listens; it is ended with the block."""
    popen = subprocess.Popen(
        [sys.executable, "-m", "kt", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(state),
            "KEEPTRUSTS_STATE_DIR": str(state),
            **(environment or {}),
        },
    )
    try:
        yield Process(popen, _port(popen))
    finally:
        if popen.poll() is None:
            popen.kill()
        popen.communicate()


def _port(popen: subprocess.Popen[str]) -> int:
    """The port in the line that says that it listens, on either output."""
    stream: IO[str] | None = popen.stdout if "mock" in popen.args else popen.stderr  # type: ignore[operator]
    assert stream is not None
    seen = ""
    for line in stream:
        seen += line
        if "on http://" in line or "Listening on" in line:
            return int(line.strip().rpartition(":")[2])
    raise AssertionError(f"it ended before it listened:\n{seen}")
