"""How targets are spoken to: what the file says, the defaults, and what is cut or told."""

import attrs
import pytest

from kt.compiler import Compiled, compile_source
from kt.errors import ConfigError
from kt.plan import Connecting, Count, HttpVersion, KeepAlive, Limit, Tls, Transport, WarmUp
from kt.planfile import read_plan, write_plan
from kt.source import Source

TARGETS = "providers: {targets: [{id: a, base_url: 'http://a'}, {id: b, base_url: 'http://b'}]}\n"


def compiled(gateway: str, targets: str = TARGETS) -> Compiled:
    """A file with a gateway section."""
    return compile_source(Source("kt.yaml", f"{targets}gateway: {gateway}\n"))


def connecting(gateway: str) -> Connecting:
    """What came of a gateway section."""
    return compiled(gateway).plan.connecting


def limit(seconds: float) -> Limit:
    """A limit; where it came from is not compared."""
    return Limit(seconds, origin="")


def test_by_default_connections_are_ours_and_are_probed() -> None:
    probes = KeepAlive(interval=limit(30.0), timeout=limit(60.0))
    assert connecting("{}") == Connecting(keep_alive=probes)


def test_what_is_written_is_what_is_done() -> None:
    text = (
        "{upstream: {http_version: h2, transport: httpx, keep_alive: {interval: 5s, timeout: 9s}},"
        " connection_pool: {max_total: 8, max_lifetime: 7s},"
        " warmup: {connections_per_provider: 2, probe_endpoint: '/v1/models?x=1'}}"
    )
    assert connecting(text) == Connecting(
        transport=Transport.HTTPX,
        http_version=HttpVersion.HTTP2,
        keep_alive=KeepAlive(interval=limit(5.0), timeout=limit(9.0)),
        max_total=Count(8, origin=""),
        warm_up=WarmUp(connections=Count(2, origin=""), probe="/v1/models?x=1"),
    )
    assert {one.pool.lifetime for one in compiled(text).plan.targets} == {limit(7.0)}


def test_switches_switch_off() -> None:
    text = "{upstream: {keep_alive: {enabled: false, interval: 5s}}, warmup: {enabled: false}}"
    assert connecting(text) == Connecting()


@pytest.mark.parametrize(
    ("gateway", "connections"),
    [
        ("{warmup: {}}", 4),
        ("{warmup: {}, connection_pool: {max_idle_per_host: 3}}", 3),
        ("{warmup: {}, connection_pool: {max_total: 5}}", 2),
        ("{warmup: {connections_per_provider: 9}, connection_pool: {max_total: 5}}", 2),
    ],
)
def test_no_more_is_opened_ahead_than_is_kept(gateway: str, connections: int) -> None:
    result = compiled(gateway)
    assert result.plan.connecting.warm_up is not None
    assert result.plan.connecting.warm_up.connections.value == connections
    is_cut = "connections_per_provider" in gateway
    assert [one.name for one in result.report.warnings] == ["limit_cut"] * is_cut


def test_what_httpx_cannot_do_is_told() -> None:
    result = compiled(
        "{upstream: {transport: httpx}, connection_pool: {max_total: 5, max_lifetime: 1s},"
        " warmup: {connections_per_provider: 1}}"
    )
    assert [one.name for one in result.report.warnings] == ["not_enforced"] * 3


def test_tls_files_are_named_per_target() -> None:
    tls = "{ca_file: ca.pem, client_cert: c.pem, client_key: c.key}"
    targets = f"providers: {{targets: [{{id: a, base_url: 'https://a', tls: {tls}}}]}}\n"
    plan = compiled("{}", targets).plan
    expected = Tls(ca_file="ca.pem", client_cert="c.pem", client_key="c.key")
    assert plan.targets[0].tls == expected
    with pytest.raises(ConfigError) as refusal:
        compiled("{}", targets.replace("client_cert: c.pem, ", ""))
    assert [one.name for one in refusal.value.report.errors] == ["missing_key"]


def test_it_is_part_of_a_plan_file() -> None:
    plan = compiled("{upstream: {http_version: h2}, warmup: {probe_endpoint: /x}}").plan
    assert read_plan(write_plan(plan), "plan.json") == plan
    assert attrs.evolve(plan, connecting=Connecting()).digest != plan.digest
