"""Resolve every limit: what the file says, what a flag says, else the default; never unbounded.

In: the gateway's settings. Out: the plan's limits, each with its origin. A deadline inside the
request's is cut to it, and the file's author is told.
"""

from kt.compiler.access_sections import SizeLimits
from kt.compiler.fields import Duration, Number, Size
from kt.compiler.gateway_sections import Gateway
from kt.compiler.model import Config, TargetPool
from kt.compiler.settings import Settings
from kt.diagnostics import Report
from kt.plan import Admission, Count, Limit, Pool, Sizes, Timeouts
from kt.units import show_duration

CONNECT = 5.0
FIRST_BYTE = 30.0
INTER_CHUNK = 30.0
REQUEST = 120.0
IDLE = 90.0
POLICY = 2.0
QUEUE = 30.0
SEND = 30.0
DRAIN = 30.0

MAX_CONCURRENT = 16
MAX_QUEUE = 1000
REQUEST_BODY = 10 * 2**20
RESPONSE_BODY = 50 * 2**20
STREAM_HOLD = 64 * 2**10
REQUEST_HEAD = 64 * 2**10

POOL_CONNECTIONS = 100
POOL_IDLE = 32

DEFAULT = "default"


def resolve_timeouts(gateway: Gateway, report: Report) -> Timeouts:
    """Every deadline of design section 4."""
    written = gateway.timeouts
    request = _limit(report, written.request, REQUEST)

    def below(name: str, given: Duration | None, default: float) -> Limit:
        return _cut(report, name, given, _limit(report, given, default), request)

    return Timeouts(
        queue=below("queue_timeout", gateway.concurrency.queue_timeout, QUEUE),
        connect=below("connect", written.connect, CONNECT),
        first_byte=below("first_byte", written.first_byte, FIRST_BYTE),
        inter_chunk=_limit(report, written.streaming_idle, INTER_CHUNK),
        request=request,
        policy=below("policy_eval", written.policy_eval, POLICY),
        idle=_limit(report, written.idle, IDLE),
        send=_limit(report, None, SEND),
        drain=_limit(report, None, DRAIN),
    )


def resolve_admission(gateway: Gateway, settings: Settings, report: Report) -> Admission:
    """How many run and wait; a flag or a variable overrules the file."""
    written = gateway.concurrency
    max_concurrent = _count(report, written.max_concurrent_requests, MAX_CONCURRENT)
    if settings.max_concurrency is not None:
        flag = settings.max_concurrency
        max_concurrent = Count(flag.value, origin=flag.origin)
    max_queue = _count(report, written.max_queue_size, MAX_QUEUE)
    return Admission(
        max_concurrent=max_concurrent,
        max_queue=max_queue,
        per_user=_given(report, written.per_user_limit),
        per_team=_given(report, written.per_team_limit),
    )


def resolve_sizes(config: Config, report: Report) -> Sizes:
    """The bounds on memory per request; of two that limit the same the smaller holds."""
    written = config.gateway.buffers
    limits = config.size_limits or SizeLimits()
    return Sizes(
        request_body=_smaller(
            report, written.request_body_limit, limits.max_body_bytes, REQUEST_BODY
        ),
        response_body=_smaller(
            report, written.response_body_limit, limits.max_response_bytes, RESPONSE_BODY
        ),
        stream_hold=_count(report, written.streaming_buffer, STREAM_HOLD),
        request_head=_count(report, limits.max_header_bytes, REQUEST_HEAD),
    )


def resolve_pool(pool: TargetPool | None, gateway: Gateway, report: Report) -> Pool:
    """One target's connections: its own words, else the gateway's, else the default."""
    own = TargetPool() if pool is None else pool
    shared = gateway.connection_pool
    connections = POOL_CONNECTIONS if own.max_connections is None else own.max_connections.value
    idle_time = own.idle_timeout or shared.idle_timeout or gateway.timeouts.idle
    lifetime = shared.max_lifetime
    return Pool(
        max_connections=connections,
        max_idle=_max_idle(own.max_idle_per_host or shared.max_idle_per_host, connections, report),
        idle=_limit(report, idle_time, IDLE),
        lifetime=None if lifetime is None else _limit(report, lifetime, 0.0),
    )


def _max_idle(given: Number | None, connections: int, report: Report) -> int:
    if given is None:
        return min(POOL_IDLE, connections)
    if given.value > connections:
        word = "max_idle_per_host"
        report.add("limit_cut", given.span, word=word, limit=f"max_connections, {connections}")
    return min(given.value, connections)


def _limit(report: Report, given: Duration | None, default: float) -> Limit:
    if given is None:
        return Limit(default, origin=DEFAULT)
    return Limit(given.value, origin=report.source.place(given.span))


def _count(report: Report, given: Number | Size | None, default: int) -> Count:
    if given is None:
        return Count(default, origin=DEFAULT)
    return Count(given.value, origin=report.source.place(given.span))


def _smaller(report: Report, one: Size | None, other: Number | None, default: int) -> Count:
    given = [_count(report, written, default) for written in (one, other) if written is not None]
    return min(given, key=lambda count: count.value, default=Count(default, origin=DEFAULT))


def _given(report: Report, number: Number | None) -> Count | None:
    return None if number is None else _count(report, number, number.value)


def _cut(report: Report, name: str, given: Duration | None, limit: Limit, parent: Limit) -> Limit:
    if limit.seconds <= parent.seconds:
        return limit
    if given is not None:
        whole = f"the request's {show_duration(parent.seconds)}"
        report.add("limit_cut", given.span, word=name, limit=whole)
    return Limit(parent.seconds, origin=f"{limit.origin}, cut to request ({parent.origin})")
