"""A gateway is built, served and taken down, with everything that belongs to it."""

from pathlib import Path

import attrs
import httpx
import orjson
import pytest
import trio

from kt.errors import UsageError
from kt.plan import Plan
from kt.runtime.connecting import Network
from kt.runtime.gateway import GatewayOptions, Running, built, run_gateway
from tests.support.gateways import chat_body
from tests.support.plans import plan, record_step
from tests.support.sockets import open_client, request_bytes
from tests.support.upstreams import (
    Body,
    FakeProvider,
    chunk,
    completion,
    json_answer,
    stream_answer,
)

pytestmark = pytest.mark.slow

PATH = "/v1/chat/completions"
LONGEST = 10.0


def options(directory: Path, provider: httpx.AsyncBaseTransport | None = None) -> GatewayOptions:
    """Surroundings on a free port."""
    return GatewayOptions(
        host="127.0.0.1",
        port=0,
        log=lambda _: None,
        audit_path=directory / "audit.jsonl",
        gateway_id="test",
        network=Network(
            transport=provider or FakeProvider(lambda _: json_answer(completion("hi")))
        ),
    )


async def _build(the_plan: Plan, surroundings: GatewayOptions) -> None:
    async with built(the_plan, surroundings):
        pass


def test_a_plan_without_targets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        trio.run(_build, attrs.evolve(plan(), targets=()), options(tmp_path))


def test_an_audit_log_that_cannot_be_written_is_refused_before_anything_listens(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as refusal:
        trio.run(_build, plan(record_step()), options(tmp_path / "file"))
    assert "audit log" in refusal.value.message


def test_without_an_audit_logger_no_file_is_made(tmp_path: Path) -> None:
    trio.run(_build, plan(), options(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_answers_over_a_socket_and_ends_when_it_is_drained(tmp_path: Path) -> None:
    async def main() -> None:
        drain = trio.Event()
        with trio.fail_after(LONGEST):
            async with trio.open_nursery() as nursery:
                running: Running = await nursery.start(
                    run_gateway, plan(record_step()), options(tmp_path), drain
                )
                assert running.url == f"http://127.0.0.1:{running.port}"
                client = await open_client(running.port)
                answer = await client.request("POST", PATH, body=chat_body("hello"))
                assert (answer.status, answer.is_complete) == (200, True)
                drain.set()
            assert running.app.is_draining
            with pytest.raises(OSError, match=r".*"):
                await open_client(running.port)
            await client.leave()

    trio.run(main)
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) == 1


def test_a_drain_lets_a_stream_end_and_records_it(tmp_path: Path) -> None:
    pieces = [chunk({"content": "a "}) for _ in range(5)] + [b"data: [DONE]\n\n"]
    provider = FakeProvider(lambda _: stream_answer(Body(pieces, 0.05)))

    async def main() -> None:
        drain = trio.Event()
        with trio.fail_after(LONGEST):
            async with trio.open_nursery() as nursery:
                running: Running = await nursery.start(
                    run_gateway, plan(record_step()), options(tmp_path, provider), drain
                )
                client = await open_client(running.port)
                body = chat_body("hello", stream=True)
                await client.send(request_bytes("POST", PATH, body=body))
                await client.receive_until(b"a ")
                drain.set()
                assert b"[DONE]" in await client.receive_rest()
                await client.leave()

    trio.run(main)
    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert orjson.loads(line)["reason_code"] is None


def test_a_drain_that_takes_too_long_cuts_what_is_left_and_records_it(tmp_path: Path) -> None:
    body = Body([chunk({"content": "a "})], stalls=True)
    provider = FakeProvider(lambda _: stream_answer(body))

    async def main() -> None:
        drain = trio.Event()
        with trio.fail_after(LONGEST):
            async with trio.open_nursery() as nursery:
                running: Running = await nursery.start(
                    run_gateway, plan(record_step(), drain=0.2), options(tmp_path, provider), drain
                )
                client = await open_client(running.port)
                request = request_bytes("POST", PATH, body=chat_body("hello", stream=True))
                await client.send(request)
                await client.receive_until(b"a ")
                drain.set()
            assert running.app.endpoints.gate.running == 0
            await client.leave()

    trio.run(main)
    assert body.is_closed
    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert orjson.loads(line)["reason_code"] == "client_closed"
