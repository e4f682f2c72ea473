"""Sections that are accepted and typed as far as they are documented, and that nothing acts on yet.

Each is one key of the configuration with one warning; `AnyValue` stands where no keys are known.
"""
# ruff: noqa: RUF009 - `setting` and its kin are attrs.field with our metadata, not defaults

from enum import Enum
from typing import TypeAlias

import attrs

from kt.compiler.fields import (
    Duration,
    Number,
    Text,
    duration,
    located,
    required,
    setting,
)
from kt.policies import AnyValue
from kt.source import Span

ModelMapping: TypeAlias = tuple[tuple[str, tuple[tuple[str, Text], ...]], ...]
"""A model -> what each target calls it."""


@attrs.frozen
class Names:
    """One word or a list of words."""

    values: tuple[str, ...]


class PathMatch(Enum):
    """How a route's path is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"


@attrs.frozen(kw_only=True)
class Route:
    """Requests that get a chain or a target of their own."""

    name: Text | None = setting(least=1, most=200)
    description: Text | None = setting()
    enabled: bool | None = setting()
    path: Text | None = setting()
    match: PathMatch | None = setting()
    methods: tuple[Text, ...] = setting(())
    headers: tuple[tuple[str, Text], ...] = setting(())
    upstream: Text | None = setting()
    model: Names | None = setting()
    chain: AnyValue | None = setting(refused="route_chain")
    policies: AnyValue | None = setting(refused="route_chain")
    policy: AnyValue | None = setting(refused="route_chain")
    span: Span = located()


@attrs.frozen(kw_only=True)
class SecretName:
    """The name of a secret, as in a target."""

    env: Text | None = setting()
    store: Text | None = setting()


@attrs.frozen(kw_only=True)
class Callback:
    """A place outside that is told of every request."""

    type: Text = required(least=1, most=200)
    enabled: bool | None = setting()
    host: Text | None = setting()
    public_key: Text | None = setting()
    public_key_env: Text | None = setting()
    secret_key: Text | None = setting(refused="literal_secret")
    secret_key_env: Text | None = setting()
    secret_key_ref: SecretName | None = setting()
    endpoint: Text | None = setting()
    site: Text | None = setting()
    service_name: Text | None = setting()
    tags: tuple[str, ...] = setting(())


class LoadsBackend(Enum):
    """Where memories are kept."""

    API = "api"
    MEMORY = "memory"


class WriteMode(Enum):
    """What is remembered."""

    FULL = "full"
    READ_ONLY = "read_only"
    METADATA_ONLY = "metadata_only"


@attrs.frozen(kw_only=True)
class Loads:
    """What is recalled for a request."""

    enabled: bool | None = setting()
    backend: LoadsBackend | None = setting()
    recall_top_k: int | None = setting()
    write_mode: WriteMode | None = setting()
    timeout_ms: int | None = setting()
    fail_open: bool | None = setting()


@attrs.frozen(kw_only=True)
class History:
    """What is kept of conversations."""

    enabled: bool | None = setting()
    mode: Text | None = setting()
    include_blocked: bool | None = setting()
    retention_days: int | None = setting()
    fail_open: bool | None = setting()


@attrs.frozen(kw_only=True)
class WorkflowCache:
    """Answers shared by the members of an organization."""

    enabled: bool | None = setting()
    default_tier: Text | None = setting()
    org_shared_enabled: bool | None = setting()
    direct_semantic_replay_enabled: bool | None = setting()
    codebase_identity_mode: Text | None = setting()
    similarity_threshold: float | None = setting()
    ttl_seconds: int | None = setting()
    max_entry_size_bytes: int | None = setting()
    max_entry_tokens: int | None = setting()
    excluded_models: tuple[str, ...] = setting(())
    excluded_agents: tuple[str, ...] = setting(())
    single_flight_enabled: bool | None = setting()
    single_flight_timeout_ms: int | None = setting()


@attrs.frozen(kw_only=True)
class Fabric:
    """Context that is built from repositories."""

    enabled: bool | None = setting()
    auto_build: bool | None = setting()
    refresh_on_push: bool | None = setting()
    context_attachment: bool | None = setting()
    max_context_tokens: int | None = setting()
    artifact_types: tuple[str, ...] = setting(())


@attrs.frozen(kw_only=True)
class TestCase:
    """One request, and what must become of it."""

    __test__ = False

    name: Text | None = setting()
    description: Text | None = setting()
    input: AnyValue = required()
    expected: AnyValue | None = setting()
    assertions: AnyValue | None = setting()


@attrs.frozen(kw_only=True)
class TestSuite:
    """Cases that belong together."""

    __test__ = False

    name: Text = required(least=1, most=200)
    description: Text | None = setting()
    target: AnyValue | None = setting()
    assertions: AnyValue | None = setting()
    cases: tuple[TestCase, ...] = required()


@attrs.frozen(kw_only=True)
class Testing:
    """Tests of the policies, written beside them."""

    __test__ = False

    default_threshold: float | None = setting()
    plugins: AnyValue | None = setting()
    strategies: AnyValue | None = setting()
    suites: tuple[TestSuite, ...] = setting(())


@attrs.frozen(kw_only=True)
class Retry:
    """How often a provider is asked again."""

    enabled: bool | None = setting()
    max_attempts: Number | None = setting(least=1, most=10)
    initial_delay: Duration | None = duration()
    max_delay: Duration | None = duration()
    backoff_multiplier: float | None = setting()
    jitter: bool | None = setting()
    retryable_codes: tuple[Number, ...] = setting(())
    span: Span = located()


class LogLevel(Enum):
    """How much is logged."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class LogFormat(Enum):
    """How a log line looks."""

    JSON = "json"
    PRETTY = "pretty"


@attrs.frozen(kw_only=True)
class Logging:
    """What the gateway logs."""

    level: LogLevel | None = setting()
    format: LogFormat | None = setting()
    log_bodies: bool | None = setting()
    redact_fields: tuple[str, ...] = setting(())
