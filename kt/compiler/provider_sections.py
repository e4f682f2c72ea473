"""What is said about providers that is accepted and typed, and that nothing acts on yet."""
# ruff: noqa: RUF009 - `setting` and its kin are attrs.field with our metadata, not defaults

from enum import Enum
from typing import ClassVar

import attrs

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
from kt.source import Span


@attrs.frozen(kw_only=True)
class Share:
    """One member of a model group: a target's id, or a provider's model and its weight."""

    provider: Text | None = setting()
    target: Text | None = setting()
    id: Text | None = setting()
    model: Text | None = setting()
    weight: float | None = setting()
    span: Span = located()


@attrs.frozen(kw_only=True)
class ModelGroup:
    """Models that answer under one name."""

    name: Text = required(least=1, most=200)
    description: Text | None = setting()
    strategy: Text | None = setting()
    targets: tuple[Share, ...] = setting(())
    models: tuple[Share, ...] = setting(())
    aliases: tuple[Text, ...] = setting(())
    fallback_group: Text | None = setting()
    span: Span = located()


@attrs.frozen(kw_only=True)
class Fallback:
    """Who is asked when a provider fails; four published shapes in one."""

    enabled: bool | None = setting()
    strategy: Text | None = setting()
    provider: Text | None = setting()
    model: Text | None = setting()
    triggers: tuple[Text, ...] = setting(())
    retry_on: tuple[Text, ...] = setting(())
    max_fallback_attempts: Number | None = setting(least=0, most=100)
    max_retries: Number | None = setting(least=0, most=100)
    latency_window: Duration | None = duration()
    max_latency_ms: int | None = not_enforced()
    max_cost_per_1k: float | None = not_enforced()
    max_cost_per_1k_tokens: float | None = not_enforced()
    max_cost_per_1m_tokens: float | None = not_enforced()
    content_policy: Text | None = not_enforced()
    context_window: Text | None = not_enforced()


@attrs.frozen(kw_only=True)
class CircuitBreaker:
    """When a target is left alone, and for how long."""

    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    enabled: bool | None = setting()
    failure_threshold: Number | None = count()
    cooldown_seconds: Number | None = count()
    recovery_timeout: Duration | None = duration()
    half_open_max_requests: Number | None = count()


@attrs.frozen(kw_only=True)
class HealthMonitor:
    """How targets are probed in the background."""

    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    enabled: bool | None = setting()
    interval_seconds: Number | None = count()
    timeout_ms: Number | None = count()
    path: Text | None = setting(least=1, most=200)


@attrs.frozen(kw_only=True)
class Mirroring:
    """A second target that is asked for comparison."""

    enabled: bool | None = setting()
    mirror_target: Text | None = setting()
    sample_rate: float | None = setting()
    log_mirror_response: bool | None = setting()
    timeout_ms: int | None = setting()


@attrs.frozen(kw_only=True)
class Variant:
    """One side of a comparison, and its share of the requests."""

    provider_id: Text | None = setting()
    target: Text | None = setting()
    weight: float | None = setting()


@attrs.frozen(kw_only=True)
class AbTest:
    """Requests that are shared out between targets, to compare them."""

    enabled: bool | None = setting()
    sticky_by: Text | None = setting()
    variants: tuple[Variant, ...] = setting(())


@attrs.frozen(kw_only=True)
class DataPolicy:
    """What a provider does with what it is sent."""

    zero_data_retention: bool | None = setting()
    training_opt_out: bool | None = setting()
    retention_days: int | None = setting()


class DataCollection(Enum):
    """Whether a provider may keep what it is sent."""

    ALLOW = "allow"
    DENY = "deny"


@attrs.frozen(kw_only=True)
class DataResidency:
    """Where a provider's machines stand."""

    regions: tuple[str, ...] = setting(())
    data_center_locations: tuple[str, ...] = setting(())
    sovereignty_compliant: bool | None = setting()
    certifications: tuple[str, ...] = setting(())


@attrs.frozen(kw_only=True)
class EscalationRouting:
    """Who is asked when a request of this target is escalated."""

    team_id: Text | None = setting()
    user_id: Text | None = setting()
