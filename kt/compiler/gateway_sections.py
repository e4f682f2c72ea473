"""`gateway`: limits, sizes and time, and what is said there that nothing acts on yet."""
# ruff: noqa: RUF009 - `setting` and its kin are attrs.field with our metadata, not defaults

from enum import Enum
from typing import ClassVar

import attrs

from kt.compiler import sections
from kt.compiler.fields import (
    Duration,
    Number,
    Size,
    Text,
    count,
    duration,
    not_enforced,
    setting,
    size,
)
from kt.plan import Edge, HttpVersion, Transport
from kt.policies import AnyValue


@attrs.frozen(kw_only=True)
class Timeouts:
    """`gateway.timeouts`."""

    SECTION: ClassVar[str] = "gateway.timeouts"
    connect: Duration | None = duration()
    first_byte: Duration | None = duration()
    request: Duration | None = duration()
    idle: Duration | None = duration()
    policy_eval: Duration | None = duration()
    streaming_idle: Duration | None = duration()


@attrs.frozen(kw_only=True)
class Buffers:
    """`gateway.buffers`."""

    SECTION: ClassVar[str] = "gateway.buffers"
    request_body_limit: Size | None = size()
    response_body_limit: Size | None = size()
    streaming_buffer: Size | None = size()


@attrs.frozen(kw_only=True)
class Concurrency:
    """`gateway.concurrency`."""

    SECTION: ClassVar[str] = "gateway.concurrency"
    max_concurrent_requests: Number | None = count()
    max_queue_size: Number | None = count(least=0)
    queue_timeout: Duration | None = duration()
    per_user_limit: Number | None = count()
    per_team_limit: Number | None = count()


@attrs.frozen(kw_only=True)
class KeepAlive:
    """`gateway.upstream.keep_alive`."""

    SECTION: ClassVar[str] = "gateway.upstream.keep_alive"
    enabled: bool | None = setting()
    interval: Duration | None = duration()
    timeout: Duration | None = duration()


@attrs.frozen(kw_only=True)
class UpstreamOptions:
    """`gateway.upstream`."""

    SECTION: ClassVar[str] = "gateway.upstream"
    transport: Transport | None = setting()
    http_version: HttpVersion | None = setting()
    keep_alive: KeepAlive = setting(KeepAlive())


@attrs.frozen(kw_only=True)
class ConnectionPool:
    """`gateway.connection_pool`: what holds for every target that does not say otherwise."""

    SECTION: ClassVar[str] = "gateway.connection_pool"
    max_idle_per_host: Number | None = count(least=0)
    max_total: Number | None = count()
    max_lifetime: Duration | None = duration()
    idle_timeout: Duration | None = duration()


@attrs.frozen(kw_only=True)
class WarmUp:
    """`gateway.warmup`."""

    SECTION: ClassVar[str] = "gateway.warmup"
    enabled: bool | None = setting()
    connections_per_provider: Number | None = count(least=0)
    probe_endpoint: Text | None = setting(least=1, most=200)


@attrs.frozen(kw_only=True)
class Streaming:
    """`gateway.streaming`."""

    SECTION: ClassVar[str] = "gateway.streaming"
    chunk_buffer: Size | None = size()
    flush_interval: Duration | None = duration()
    passthrough_chunked: bool | None = setting()
    max_duration: Duration | None = duration()


class CacheMode(Enum):
    """When two requests are the same."""

    EXACT = "exact"
    SEMANTIC = "semantic"


class CacheBackend(Enum):
    """Where answers are kept."""

    MEMORY = "memory"
    REDIS = "redis"


@attrs.frozen(kw_only=True)
class Cache:
    """`gateway.cache`."""

    SECTION: ClassVar[str] = "gateway.cache"
    enabled: bool | None = not_enforced()
    mode: CacheMode | None = not_enforced()
    backend: CacheBackend | None = not_enforced()
    max_entries: Number | None = count(is_enforced=False)
    ttl: Duration | None = duration(is_enforced=False)
    ttl_seconds: int | None = not_enforced()
    cache_when: AnyValue | None = not_enforced()
    key_includes: tuple[str, ...] = setting((), is_enforced=False)


@attrs.frozen(kw_only=True)
class Gateway:
    """`gateway`: limits, sizes and time."""

    SECTION: ClassVar[str] = "gateway"
    listen_port: Number | None = setting(least=1, most=65535)
    edge: Edge | None = setting()
    server_timing: bool | None = setting()
    passthrough: tuple[Text, ...] = setting(())
    timeouts: Timeouts = setting(Timeouts())
    buffers: Buffers = setting(Buffers())
    concurrency: Concurrency = setting(Concurrency())
    upstream: UpstreamOptions = setting(UpstreamOptions())
    connection_pool: ConnectionPool = setting(ConnectionPool())
    warmup: WarmUp | None = setting()
    streaming: Streaming = setting(Streaming())
    cache: Cache | None = setting()
    mode: Text | None = not_enforced()
    retry: sections.Retry | None = setting()
    logging: sections.Logging | None = not_enforced()
