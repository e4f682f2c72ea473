"""From a plan to connections: who is asked how, what is opened ahead, what cannot be used."""

from pathlib import Path

import attrs
import pytest
import trio

from kt.errors import UsageError
from kt.plan import Connecting, Count, HttpVersion, Limit, Plan, Pool, Tls, WarmUp
from kt.runtime.connecting import Network, upstreams, warm_up
from kt.transport.pool import PoolCounts
from tests.support.gateways import run_in_virtual_time
from tests.support.http2_server import Http2Server
from tests.support.plans import plan, target
from tests.support.wires import MemoryNetwork, Server, answering, read_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
A, B = target("a", "http://a.test/base"), target("b", "http://b.test")


def with_connecting(the_plan: Plan, **values: object) -> Plan:
    """The plan with some of how targets are spoken to."""
    return attrs.evolve(the_plan, connecting=Connecting(**values))  # type: ignore[arg-type]


async def asked(the_plan: Plan, server: Server, secrets: dict[str, str] | None = None) -> None:
    """Ask every target of a plan once, over a network in memory."""
    async with trio.open_nursery() as nursery:
        network = Network(dial=MemoryNetwork(server, nursery).dial)
        async with upstreams(the_plan, secrets or {}, frozenset(), network) as made:
            for upstream in made:
                async with upstream.ask("/v1/x", {b"x-n": b"1"}, b"body") as answer:
                    assert await answer.whole(100) == b"hi"
        nursery.cancel_scope.cancel()


def test_every_target_is_asked_at_its_own_address_with_its_own_key() -> None:
    requests = []

    async def serve(stream: trio.abc.Stream) -> None:
        while (request := await read_request(stream)) is not None:
            requests.append(request)
            await stream.send_all(OK)

    run_in_virtual_time(lambda: asked(plan(targets=(A, B)), serve, {"b": "sk-b"}))
    first, second = requests
    assert first.startswith(b"POST /base/v1/x HTTP/1.1\r\nhost: a.test\r\n")
    assert second.startswith(b"POST /v1/x HTTP/1.1\r\nhost: b.test\r\n")
    assert b"sk-b" not in first
    assert b"\r\nauthorization: Bearer sk-b\r\n" in second


def test_a_key_header_wins_over_what_the_client_sent() -> None:
    requests = []

    async def serve(stream: trio.abc.Stream) -> None:
        requests.append(await read_request(stream))
        await stream.send_all(OK)

    named = attrs.evolve(A, api_key_header="X-N", api_key_prefix="")
    run_in_virtual_time(lambda: asked(plan(targets=(named,)), serve, {"a": "key"}))
    assert requests[0] is not None
    assert requests[0].count(b"\r\nx-n: ") == 1
    assert b"\r\nx-n: key\r\n" in requests[0]


def test_http2_is_spoken_without_asking_where_there_is_no_tls() -> None:
    server = Http2Server(lambda peer, request: peer.answer(request.number, b"hi"))
    the_plan = with_connecting(plan(targets=(A, B)), http_version=HttpVersion.HTTP2)
    run_in_virtual_time(lambda: asked(the_plan, server.serve))
    assert len(server.peers) == 2


def test_targets_that_are_unavailable_are_left_out() -> None:
    async def main() -> None:
        async with upstreams(plan(targets=(A, B)), {}, frozenset({"a"}), Network()) as made:
            assert [one.target.id for one in made] == ["b"]

    run_in_virtual_time(main)


@pytest.mark.parametrize("tls", [Tls(ca_file="missing.pem"), Tls(client_cert="missing.pem")])
def test_tls_files_of_no_use_stop_the_start(tls: Tls) -> None:
    there = attrs.evolve(A, base_url="https://a.test", tls=tls)
    with pytest.raises(ExceptionGroup) as refusal:
        run_in_virtual_time(lambda: asked(plan(targets=(there,)), answering(OK)))
    found = refusal.value.split(UsageError)[0]
    assert found is not None
    assert "TLS files of 'a'" in str(_leaf(found))


@pytest.mark.parametrize("secret", ["two\nlines", "zero\0", "carriage\rreturn"])
def test_a_key_that_cannot_be_sent_stops_the_start_and_is_not_shown(secret: str) -> None:
    with pytest.raises(ExceptionGroup) as refusal:
        run_in_virtual_time(lambda: asked(plan(targets=(A,)), answering(OK), {"a": secret}))
    error = _leaf(refusal.value)
    assert isinstance(error, UsageError)
    assert secret not in error.message


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


def test_max_total_holds_over_all_targets() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            memory = MemoryNetwork(answering(OK), nursery)
            limited = with_connecting(plan(targets=(A, B)), max_total=Count(1, origin="test"))
            async with upstreams(limited, {}, frozenset(), Network(dial=memory.dial)) as made:
                for upstream in (*made, *made):
                    async with upstream.ask("/v1/x", {}, b"body") as answer:
                        await answer.whole(100)
                    others = [one.counts for one in made if one is not upstream]
                    assert others == [PoolCounts(0, 0, 0, 0)]
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)


def test_a_connection_is_no_older_than_max_lifetime_and_no_longer_idle_than_it_may_be() -> None:
    async def main(pool: Pool, connections: int) -> None:
        async with trio.open_nursery() as nursery:
            memory = MemoryNetwork(answering(OK), nursery)
            there = attrs.evolve(A, pool=pool)
            network = Network(dial=memory.dial)
            async with upstreams(plan(targets=(there,)), {}, frozenset(), network) as (upstream,):
                for _ in range(4):
                    async with upstream.ask("/v1/x", {}, b"body") as answer:
                        await answer.whole(100)
                    await trio.sleep(4)
            assert len(memory.opened) == connections
            nursery.cancel_scope.cancel()

    short, long = Limit(3.0, origin="test"), Limit(7.0, origin="test")
    run_in_virtual_time(lambda: main(attrs.evolve(A.pool, idle=short), 4))
    run_in_virtual_time(lambda: main(attrs.evolve(A.pool, idle=long), 1))
    run_in_virtual_time(lambda: main(attrs.evolve(A.pool, lifetime=long), 2))


def test_warm_up_opens_and_tries_connections_and_only_tells_of_failures() -> None:
    lines: list[str] = []
    probed: list[bytes | None] = []

    async def serve(stream: trio.abc.Stream) -> None:
        while (request := await read_request(stream, b"\r\n\r\n")) is not None:
            probed.append(request)
            await stream.send_all(OK)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            memory = MemoryNetwork(serve, nursery)
            how = WarmUp(connections=Count(3, origin="test"), probe="/v1/models")
            network = Network(dial=memory.dial)
            async with upstreams(plan(targets=(A, B)), {"a": "k"}, frozenset(), network) as made:
                await warm_up(made, how, lines.append)
                assert [one.counts and one.counts.idle for one in made] == [3, 3]
                assert lines == []
            memory.refuses = True
            async with upstreams(plan(targets=(A, B)), {}, frozenset(), network) as made:
                await warm_up(made, how, lines.append)
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)
    assert sum(b"GET /base/v1/models HTTP/1.1" in (one or b"") for one in probed) == 3
    assert sorted(lines) == [
        "warning: warm-up: 'a' cannot be reached",
        "warning: warm-up: 'b' cannot be reached",
    ]


def test_warm_up_has_an_end(tmp_path: Path) -> None:
    lines: list[str] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            memory = MemoryNetwork(answering(b""), nursery)
            how = WarmUp(connections=Count(1, origin="test"), probe="/v1/models")
            slow = plan(targets=(A,), connect=2.0, first_byte=3.0)
            async with upstreams(slow, {}, frozenset(), Network(dial=memory.dial)) as made:
                await warm_up(made, how, lines.append)
                assert trio.current_time() == 5.0
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)
    assert lines == ["warning: warm-up: 'a' did not answer in time"]
