"""The configuration as the user means it: one canonical model for every accepted shape.

Field names are the canonical YAML keys; None means "not given". `setting` says what a key accepts.
"""
# ruff: noqa: RUF009 - `setting` and its kin are attrs.field with our metadata, not defaults

from enum import Enum
from typing import ClassVar, TypeAlias

import attrs

from kt.compiler import access_sections as access
from kt.compiler import provider_sections as provided
from kt.compiler import sections
from kt.compiler.fields import (
    Duration,
    Number,
    Text,
    count,
    duration,
    located,
    not_enforced,
    required,
    setting,
)
from kt.compiler.gateway_sections import Gateway
from kt.exchange import Dialect
from kt.filters.syntax import Filter
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


class EntryPhase(Enum):
    """The side on which an entry of a list runs."""

    INPUT = "input"
    OUTPUT = "output"


class EntryAction(Enum):
    """What an entry does instead of what its kind would."""

    BLOCK = "block"
    REDACT = "redact"
    ESCALATE = "escalate"
    FLAG = "flag"
    WARN = "warn"
    LOG = "log"
    ALLOW = "allow"


class EntryOrder(Enum):
    """Whether what an entry does outside may give way to blockers that are declared after it."""

    FREE = "free"


@attrs.frozen(kw_only=True)
class Pair:
    """A comparison that nothing can make yet, kept as data; several values mean any of them."""

    name: str
    values: tuple[str | int | float | bool | None, ...]
    span: Span = located()


@attrs.frozen(kw_only=True)
class When:
    """For which requests an entry is, whatever form says so."""

    tree: Filter
    unmeasured: tuple[Pair, ...] = ()
    """What holds beside it, as far as anybody could know."""
    span: Span = located()


@attrs.frozen
class Level:
    """A number, or a word such as `medium`."""

    value: str | float


@attrs.frozen(kw_only=True)
class EntryOptions:
    """What an entry may say whatever its kind is. What a kind has itself is read by the kind."""

    name: Text | None = setting(least=1, most=200)
    id: Text | None = setting(least=1, most=200)
    description: Text | None = setting(least=0, most=2000)
    enabled: bool | None = setting()
    stage: EntryStage | None = setting()
    phase: EntryPhase | None = setting()
    action: EntryAction | None = setting()
    message: Text | None = setting(least=1, most=2000)
    replacement: Text | None = setting(least=0, most=200)
    parallel_group: Text | None = setting(least=1, most=200)
    parallel: bool | None = setting()
    order: EntryOrder | None = setting()
    fail_open: bool | None = setting()
    fail_closed: bool | None = setting()
    when: When | None = setting()
    conditions: When | None = setting()
    threshold: Level | None = not_enforced()
    sensitivity: Level | None = not_enforced()
    thresholds: tuple[tuple[str, float], ...] = setting((), is_enforced=False)
    topics: tuple[str, ...] = setting((), is_enforced=False)
    categories: tuple[str, ...] = setting((), is_enforced=False)
    allowed_models: tuple[str, ...] = setting((), is_enforced=False)
    preferred_model: Text | None = not_enforced()
    knowledge_base: AnyValue | None = not_enforced()
    min_citation_coverage: float | None = not_enforced()
    require_sources: bool | None = not_enforced()


@attrs.frozen(kw_only=True)
class ChainEntry:
    """One entry of the chain, from whatever shape: a known kind and what holds for it alone."""

    kind: Text
    name: str
    policy: PolicyKind | None = None
    """Its own settings; None leaves it to the kind's block."""
    on_trouble: OnTrouble | None = None
    options: EntryOptions = EntryOptions()
    keys: tuple[Text, ...] = ()
    """The option keys that were written, with their places."""
    span: Span = located()


@attrs.frozen(kw_only=True)
class ModelRule:
    """An entry that looks at no text: which models are for whom. Kept as data for routing."""

    name: str
    options: EntryOptions
    span: Span = located()


AnyEntry: TypeAlias = ChainEntry | ModelRule


@attrs.frozen(kw_only=True)
class WrittenPolicies:
    """The keys of `policies`."""

    chain: tuple[AnyEntry, ...] = setting(())


@attrs.frozen(kw_only=True)
class Policies:
    """The chain in declared order, and apart from it what only routing will read."""

    chain: tuple[ChainEntry, ...] = ()
    model_rules: tuple[ModelRule, ...] = ()


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
class TargetTls:
    """The files of one target's TLS."""

    SECTION: ClassVar[str] = "providers.targets.tls"
    ca_file: Text | None = setting(least=1, most=4000)
    client_cert: Text | None = setting(least=1, most=4000)
    client_key: Text | None = setting(least=1, most=4000)


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
    format: Dialect | None = setting()
    pool: TargetPool | None = setting()
    tls: TargetTls = setting(TargetTls())
    provider_type: Text | None = not_enforced()
    data_policy: provided.DataPolicy | None = not_enforced()
    data_collection: provided.DataCollection | None = not_enforced()
    data_residency: provided.DataResidency | None = not_enforced()
    pricing: AnyValue | None = not_enforced()
    escalation_routing: provided.EscalationRouting | None = not_enforced()
    fallback: provided.Fallback | None = not_enforced()
    weight: float | None = setting()
    circuit_breaker: provided.CircuitBreaker | None = setting()
    azure_api_version: Text | None = not_enforced()
    azure_deployment: Text | None = not_enforced()
    path_template: Text | None = not_enforced()
    aws_region: Text | None = not_enforced()
    aws_access_key_id_env: Text | None = not_enforced()
    aws_secret_access_key_env: Text | None = not_enforced()
    aws_session_token_env: Text | None = not_enforced()
    project_id: Text | None = not_enforced()
    location: Text | None = not_enforced()
    cloudflare_account_id_env: Text | None = not_enforced()
    snowflake_account_identifier_env: Text | None = not_enforced()
    span: Span = located()


@attrs.frozen(kw_only=True)
class Routing:
    """How a target is chosen."""

    SECTION: ClassVar[str] = "providers.routing"
    strategy: Text | None = setting()
    window_seconds: Number | None = count()
    min_sample_count: Number | None = count()
    max_price: AnyValue | None = not_enforced()


@attrs.frozen(kw_only=True)
class Providers:
    """The targets and how one is chosen."""

    SECTION: ClassVar[str] = "providers"
    targets: tuple[Target, ...] = setting(())
    routing: Routing = setting(Routing())
    fallback: provided.Fallback | None = setting()
    circuit_breaker: provided.CircuitBreaker | None = setting()
    ab_test: provided.AbTest | None = not_enforced()


class FormatVersion(Enum):
    """The format that a document says it is written in."""

    ONE = "1"


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration; a fragment leaves sections out."""

    SECTION: ClassVar[str] = ""
    version: FormatVersion | None = setting()
    pack: Pack | None = setting()
    policies: Policies = setting(Policies())
    policy: tuple[Block, ...] = setting(())
    providers: Providers = setting(Providers())
    gateway: Gateway = setting(Gateway())
    routes: tuple[sections.Route, ...] = setting(())
    consumer_groups: tuple[access.ConsumerGroup, ...] = setting(())
    model_groups: tuple[provided.ModelGroup, ...] = setting(())
    model_mapping: sections.ModelMapping = setting(())
    traffic_mirroring: provided.Mirroring | None = not_enforced()
    global_rate_limit: access.GlobalLimit | None = setting()
    ip_rate_limit: access.AddressLimit | None = setting()
    user_rate_limit: access.UserLimit | None = setting()
    token_rate_limit: access.TokenLimit | None = setting()
    rate_limit_defaults: access.LimitDefaults | None = setting()
    size_limits: access.SizeLimits | None = setting()
    ip_allowlist: access.IpAllowlist | None = setting()
    cors: access.Cors | None = setting()
    callbacks: tuple[sections.Callback, ...] = setting((), is_enforced=False)
    loads: sections.Loads | None = not_enforced()
    history: sections.History | None = not_enforced()
    engineering_cache: AnyValue | None = not_enforced()
    workflow_cache: sections.WorkflowCache | None = not_enforced()
    fabric: sections.Fabric | None = not_enforced()
    testing: sections.Testing | None = not_enforced()
    agents: AnyValue | None = not_enforced()
    includes: AnyValue | None = setting(refused="includes")
    health_monitor: provided.HealthMonitor | None = setting()
    memory: AnyValue | None = not_enforced()
    learning: AnyValue | None = not_enforced()
    review: AnyValue | None = not_enforced()
    agent_routing: AnyValue | None = not_enforced()
    moderation: AnyValue | None = not_enforced()
    auto_provider: AnyValue | None = not_enforced()
    model_listing: AnyValue | None = not_enforced()
    caching: AnyValue | None = not_enforced()
