"""Write one JSON line per request to a file, after the answer and never in its way.

Lines go through a bounded queue to one writer task, which writes in a thread. A full queue drops
the line and counts it: an audit that is too slow must not become a gateway that is. The file has no
buffer of its own, so that what a full disk refused is gone and not tried again at the end.
"""

import json
from io import FileIO
from pathlib import Path

import attrs
import trio

from kt.filters.evaluation import Predicate
from kt.filters.facts import FilterFacts
from kt.plan import Record, Step
from kt.policy import Outcome
from kt.runtime.conditions import condition_of
from kt.runtime.metrics import Metrics

QUEUE = 10_000
"""How many lines may wait for the disk."""


@attrs.frozen
class Recorder:
    """An audit step, bound: of which requests it wants a line."""

    log_all_access: bool
    applies: Predicate | None

    def wants(self, verdict: Outcome, facts: FilterFacts) -> bool:
        """Whether a request that ended like this is written down."""
        is_told = self.log_all_access or verdict is not Outcome.ALLOW
        return is_told and (self.applies is None or self.applies(facts))


def bind_recorders(steps: tuple[Step, ...]) -> tuple[Recorder, ...]:
    """The steps of the audit phase that are performed."""
    return tuple(
        Recorder(step.body.log_all_access, condition_of(step))
        for step in steps
        if isinstance(step.body, Record)
    )


class AuditLog:
    """The sink of one file. `run` must be started, and ends when `close` was called."""

    def __init__(self, path: Path, metrics: Metrics) -> None:
        self.path = path
        self._metrics = metrics
        self._seam = b""
        """Ends the line that a full disk tore, so that the next one is whole."""
        self._send, self._receive = trio.open_memory_channel[dict[str, object]](QUEUE)

    def __repr__(self) -> str:
        return f"<AuditLog {self.path}>"

    def write(self, event: dict[str, object]) -> None:
        """Hand over one event; returns at once."""
        try:
            self._send.send_nowait(event)
        except (trio.WouldBlock, trio.ClosedResourceError):
            self._metrics.events_dropped.inc()

    def close(self) -> None:
        """No more events will come; what waits is still written."""
        self._send.close()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until closed. Cancellation loses what was not yet handed to the system."""
        with open_private(self.path) as file:
            task_status.started()
            async for first in self._receive:
                await self._append(file, [first, *self._waiting()])

    async def _append(self, file: FileIO, events: list[dict[str, object]]) -> None:
        lines = b"".join(map(_line, events))
        size = await trio.to_thread.run_sync(_write, file, self._seam + lines) - len(self._seam)
        if size >= 0:
            self._seam = b"\n" if lines[:size].rpartition(b"\n")[2] else b""
        # A full disk costs the lines, and says so in a metric; it never stops the traffic.
        self._metrics.events_dropped.inc(lines[max(0, size) :].count(b"\n"))

    def _waiting(self) -> list[dict[str, object]]:
        waiting = []
        while True:
            try:
                waiting.append(self._receive.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                return waiting


def open_private(path: Path) -> FileIO:
    """Open a file for appending that only its owner may read. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=True)
    return path.open("ab", buffering=0)


def _write(file: FileIO, data: bytes) -> int:
    """How many of the bytes the system took."""
    size = 0
    try:
        while size < len(data):
            size += file.write(data[size:])
    except OSError:
        return size
    return size


def _line(event: dict[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
