"""The configuration as the user means it: one canonical model for every accepted shape.

Field names are the canonical YAML keys; None means "not given". `setting` says what a key accepts.
"""
# ruff: noqa: RUF009 - `setting` and its kin are attrs.field with our metadata, not defaults

from enum import Enum
from typing import ClassVar

import attrs

from kt.compiler.fields import (
    Duration,
    Number,
    Size,
    Text,
    count,
    duration,
    located,
    not_enforced,
    required,
    setting,
    size,
)
from kt.policies import AnyValue, PolicyKind
from kt.policy import OnTrouble
from kt.source import Span


@attrs.frozen(kw_only=True)
class Pack:
    """Who this configuration is. `id`, `author` and `description` only describe it."""

    SECTION: ClassVar[str] = "pack"
    name: Text = required(least=1, most=200)
    version: Text = required(least=1, most=200)
    enabled: bool = required()
    id: Text | None = setting(least=1, most=200)
    author: Text | None = setting(least=0, most=200)
    description: Text | None = setting(least=0, most=2000)


class EntryStage(Enum):
    """Where a chain entry runs instead of in its kind's own phases."""

    PRE_REQUEST = "pre-request"
    POST_REQUEST = "post-request"
    PRE_RESPONSE = "pre-response"
    POST_RESPONSE = "post-response"


@attrs.frozen(kw_only=True)
class EntryOptions:
    """What a chain entry may say beside its kind."""

    SECTION: ClassVar[str] = "policies.chain"
    stage: EntryStage | None = setting()


@attrs.frozen(kw_only=True)
class ChainEntry:
    """One entry of the chain: a known kind."""

    kind: Text
    stage: EntryStage | None = None
    span: Span = located()


@attrs.frozen(kw_only=True)
class Policies:
    """The chain, in the order in which it was written."""

    SECTION: ClassVar[str] = "policies"
    chain: tuple[ChainEntry, ...] = setting(())


@attrs.frozen(kw_only=True)
class FailFlags:
    """What every kind accepts beside its own fields."""

    fail_open: bool | None = setting()
    fail_closed: bool | None = setting()


@attrs.frozen(kw_only=True)
class Block:
    """The settings of one kind."""

    kind: str
    policy: PolicyKind
    on_trouble: OnTrouble | None
    span: Span = located()


@attrs.frozen(kw_only=True)
class SecretKeyRef:
    """Where a secret is found; exactly one of the two."""

    SECTION: ClassVar[str] = "providers.targets.secret_key_ref"
    env: Text | None = setting()
    store: Text | None = setting()
    span: Span = located()


@attrs.frozen(kw_only=True)
class TargetPool:
    """The connections of one target."""

    SECTION: ClassVar[str] = "providers.targets.pool"
    max_connections: Number | None = count()
    max_idle_per_host: Number | None = count(least=0)
    idle_timeout: Duration | None = duration()


@attrs.frozen(kw_only=True)
class Target:
    """One provider endpoint, as written."""

    SECTION: ClassVar[str] = "providers.targets"
    id: Text = required(least=1, most=200)
    provider: Text | None = setting()
    model: Text | None = setting(least=1, most=200)
    base_url: Text | None = setting()
    secret_key_ref: SecretKeyRef | None = setting()
    api_key: Text | None = setting(refused="literal_secret")
    api_key_header: Text | None = setting(least=1, most=200)
    api_key_prefix: Text | None = setting(least=0, most=200)
    format: Text | None = not_enforced()
    pool: TargetPool | None = setting()
    span: Span = located()


@attrs.frozen(kw_only=True)
class Routing:
    """How a target is chosen."""

    SECTION: ClassVar[str] = "providers.routing"
    strategy: Text | None = setting()


@attrs.frozen(kw_only=True)
class Providers:
    """The targets and how one is chosen."""

    SECTION: ClassVar[str] = "providers"
    targets: tuple[Target, ...] = setting(())
    routing: Routing = setting(Routing())


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
    per_user_limit: Number | None = count(is_enforced=False)
    per_team_limit: Number | None = count(is_enforced=False)


@attrs.frozen(kw_only=True)
class KeepAlive:
    """`gateway.upstream.keep_alive`."""

    SECTION: ClassVar[str] = "gateway.upstream.keep_alive"
    enabled: bool | None = not_enforced()
    interval: Duration | None = duration(is_enforced=False)
    timeout: Duration | None = duration(is_enforced=False)


class HttpVersion(Enum):
    """The protocol spoken to providers."""

    HTTP1 = "h1"
    HTTP2 = "h2"


@attrs.frozen(kw_only=True)
class UpstreamOptions:
    """`gateway.upstream`."""

    SECTION: ClassVar[str] = "gateway.upstream"
    http_version: HttpVersion | None = not_enforced()
    keep_alive: KeepAlive | None = setting()


@attrs.frozen(kw_only=True)
class ConnectionPool:
    """`gateway.connection_pool`: what holds for every target that does not say otherwise."""

    SECTION: ClassVar[str] = "gateway.connection_pool"
    max_idle_per_host: Number | None = count(least=0)
    max_total: Number | None = count(is_enforced=False)
    max_lifetime: Duration | None = duration(is_enforced=False)
    idle_timeout: Duration | None = duration()


@attrs.frozen(kw_only=True)
class WarmUp:
    """`gateway.warmup`."""

    SECTION: ClassVar[str] = "gateway.warmup"
    enabled: bool | None = not_enforced()
    connections_per_provider: Number | None = count(least=0, is_enforced=False)
    probe_endpoint: Text | None = not_enforced()


@attrs.frozen(kw_only=True)
class Streaming:
    """`gateway.streaming`."""

    SECTION: ClassVar[str] = "gateway.streaming"
    chunk_buffer: Size | None = size(is_enforced=False)
    flush_interval: Duration | None = duration(is_enforced=False)
    passthrough_chunked: bool | None = setting()
    max_duration: Duration | None = duration(is_enforced=False)


class CacheBackend(Enum):
    """Where answers are kept."""

    MEMORY = "memory"
    REDIS = "redis"


@attrs.frozen(kw_only=True)
class Cache:
    """`gateway.cache`."""

    SECTION: ClassVar[str] = "gateway.cache"
    enabled: bool | None = not_enforced()
    backend: CacheBackend | None = not_enforced()
    max_entries: Number | None = count(is_enforced=False)
    ttl: Duration | None = duration(is_enforced=False)
    cache_when: AnyValue | None = not_enforced()
    key_includes: tuple[str, ...] = setting((), is_enforced=False)


@attrs.frozen(kw_only=True)
class Gateway:
    """`gateway`: limits, sizes and time."""

    SECTION: ClassVar[str] = "gateway"
    listen_port: Number | None = setting(least=1, most=65535)
    server_timing: bool | None = setting()
    timeouts: Timeouts = setting(Timeouts())
    buffers: Buffers = setting(Buffers())
    concurrency: Concurrency = setting(Concurrency())
    upstream: UpstreamOptions | None = setting()
    connection_pool: ConnectionPool = setting(ConnectionPool())
    warmup: WarmUp | None = setting()
    streaming: Streaming = setting(Streaming())
    cache: Cache | None = setting()


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration; a fragment leaves sections out."""

    SECTION: ClassVar[str] = ""
    pack: Pack | None = setting()
    policies: Policies = setting(Policies())
    policy: tuple[Block, ...] = setting(())
    providers: Providers = setting(Providers())
    gateway: Gateway = setting(Gateway())
