"""The audit log: one line per event, private, and never in the way of an answer."""

import json
from io import FileIO
from pathlib import Path

import pytest
import trio

from kt.runtime import audit
from kt.runtime.audit import AuditLog
from kt.runtime.metrics import Metrics
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, record_step
from tests.support.upstreams import FakeProvider, completion, json_answer


def metrics() -> Metrics:
    """The metrics of a gateway that does nothing."""
    return Metrics("digest", "1", lambda: 0, lambda: 0)


def dropped(counted: Metrics) -> float:
    """How many events were dropped so far."""
    (line,) = (
        line
        for line in counted.page().decode().splitlines()
        if line.startswith("keeptrusts_events_dropped_total ")
    )
    return float(line.split()[1])


def written(path: Path, *events: dict[str, object]) -> Metrics:
    """The metrics after these events were handed over and the log was closed."""
    counted = metrics()

    async def main() -> None:
        log = AuditLog(path, counted)
        async with trio.open_nursery() as nursery:
            await nursery.start(log.run)
            for event in events:
                log.write(event)
            log.close()

    trio.run(main)
    return counted


def test_each_event_is_a_line_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.jsonl"
    counted = written(path, {"a": 1}, {"b": "é\n\u2028"}, {"c": [1, 2]})
    lines = path.read_text().split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        {"a": 1},
        {"b": "é\n\u2028"},
        {"c": [1, 2]},
    ]
    assert not lines[-1]
    assert dropped(counted) == 0


def test_the_file_is_its_owner_s_alone_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit.jsonl"
    written(path, {"a": 1})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    written(path, {"a": 2})
    assert path.read_text() == '{"a":1}\n{"a":2}\n'


def test_a_full_queue_drops_the_event_and_counts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "QUEUE", 3)
    counted = metrics()
    log = AuditLog(tmp_path / "audit.jsonl", counted)
    for number in range(5):
        log.write({"n": number})
    assert dropped(counted) == 2


def test_a_full_disk_costs_the_events_and_raises_nothing() -> None:
    assert dropped(written(Path("/dev/full"), {"a": 1}, {"a": 2})) == 2


def test_a_torn_line_does_not_spoil_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, counted, real = tmp_path / "audit.jsonl", metrics(), audit._write

    def tearing(file: FileIO, data: bytes) -> int:
        """Half of the first event arrives."""
        monkeypatch.setattr(audit, "_write", real)
        return real(file, data[: len(data) // 2])

    monkeypatch.setattr(audit, "_write", tearing)

    async def main() -> None:
        log = AuditLog(path, counted)
        async with trio.open_nursery() as nursery:
            await nursery.start(log.run)
            log.write({"n": 1})
            while not dropped(counted):
                await trio.lowlevel.checkpoint()
            log.write({"n": 2})
            log.close()

    trio.run(main)
    assert path.read_text().splitlines()[-1] == '{"n":2}'
    assert dropped(counted) == 1


def test_a_closed_log_takes_no_more_events_and_counts_them(tmp_path: Path) -> None:
    counted = metrics()
    log = AuditLog(tmp_path / "audit.jsonl", counted)
    log.close()
    log.write({"a": 1})
    assert dropped(counted) == 1


def test_a_gateway_that_ends_writes_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"

    async def main() -> None:
        provider = FakeProvider(lambda _: json_answer(completion("hi")))
        async with gateway(plan(record_step()), provider, path) as app:
            for _ in range(20):
                await chat(app, "hello")

    run_in_virtual_time(main)
    assert len(path.read_text().splitlines()) == 20
