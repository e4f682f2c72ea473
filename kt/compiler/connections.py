"""Resolve how targets are spoken to: transport, protocol, probes, TLS files, what is opened ahead.

In: the gateway's settings and the targets as written. Out: plan values; what a chosen transport
cannot do is told.
"""

import re

from kt.compiler.fields import Duration, Number, Text
from kt.compiler.gateway_sections import Gateway
from kt.compiler.model import TargetTls
from kt.diagnostics import Report
from kt.plan import Connecting, Count, HttpVersion, KeepAlive, Limit, Target, Tls, Transport, WarmUp
from kt.source import Span

INTERVAL = 30.0
TIMEOUT = 60.0
WARM_CONNECTIONS = 4

DEFAULT = "default"

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")


def resolve_connecting(gateway: Gateway, targets: tuple[Target, ...], report: Report) -> Connecting:
    """What holds for every target."""
    written = gateway.upstream
    transport = written.transport or Transport.KT
    if transport is Transport.HTTPX:
        _note_what_httpx_lacks(gateway, report)
    total = gateway.connection_pool.max_total
    rooms = [target.pool.max_idle for target in targets]
    if total is not None and targets:
        rooms.append(total.value // len(targets))
    return Connecting(
        transport=transport,
        http_version=written.http_version or HttpVersion.HTTP1,
        keep_alive=_keep_alive(gateway, report),
        max_total=None if total is None else _count(total, report),
        warm_up=_warm_up(gateway, min(rooms, default=0), report),
    )


def resolve_tls(written: TargetTls, report: Report) -> Tls:
    """The names of a target's TLS files; they are read when the gateway starts."""
    if written.client_key is not None and written.client_cert is None:
        hint = "name the certificate that belongs to the key"
        report.add("missing_key", written.client_key.span, word="client_cert", hint=hint)
    return Tls(
        ca_file=_name(written.ca_file),
        client_cert=_name(written.client_cert),
        client_key=_name(written.client_key),
    )


def _keep_alive(gateway: Gateway, report: Report) -> KeepAlive | None:
    written = gateway.upstream.keep_alive
    if written.enabled is False:
        return None
    return KeepAlive(
        interval=_limit(written.interval, INTERVAL, report),
        timeout=_limit(written.timeout, TIMEOUT, report),
    )


def _warm_up(gateway: Gateway, room: int, report: Report) -> WarmUp | None:
    written = gateway.warmup
    if written is None or written.enabled is False:
        return None
    probe = written.probe_endpoint
    if probe is not None and _PATH.fullmatch(probe.value) is None:
        report.add("bad_path", probe.span, hint="it begins with '/', as in /v1/models")
    return WarmUp(
        connections=_warm_connections(written.connections_per_provider, room, report),
        probe=None if probe is None else probe.value,
    )


def _warm_connections(given: Number | None, room: int, report: Report) -> Count:
    if given is None:
        return Count(min(WARM_CONNECTIONS, room), origin=DEFAULT)
    if given.value > room:
        word, limit = "connections_per_provider", f"what the pools keep, {room}"
        report.add("limit_cut", given.span, word=word, limit=limit)
    return Count(min(given.value, room), origin=report.source.place(given.span))


def _note_what_httpx_lacks(gateway: Gateway, report: Report) -> None:
    pool, warm_up = gateway.connection_pool, gateway.warmup
    hint = "it needs transport: kt"
    lacking: list[tuple[str, Span]] = []
    if pool.max_total is not None:
        lacking.append(("max_total", pool.max_total.span))
    if pool.max_lifetime is not None:
        lacking.append(("max_lifetime", pool.max_lifetime.span))
    given = None if warm_up is None else warm_up.connections_per_provider
    if warm_up is not None and given is not None and warm_up.probe_endpoint is None:
        lacking.append(("connections_per_provider", given.span))
    for word, span in lacking:
        report.add("not_enforced", span, word=word, hint=hint)


def _limit(given: Duration | None, default: float, report: Report) -> Limit:
    if given is None:
        return Limit(default, origin=DEFAULT)
    return Limit(given.value, origin=report.source.place(given.span))


def _count(given: Number, report: Report) -> Count:
    return Count(given.value, origin=report.source.place(given.span))


def _name(given: Text | None) -> str | None:
    return None if given is None else given.value
