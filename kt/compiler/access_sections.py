"""`consumer_groups`, the rate limits, `ip_allowlist`, `size_limits` and `cors`: who may ask."""
# ruff: noqa: RUF009 - `setting` and its kin are attrs.field with our metadata, not defaults

from typing import ClassVar

import attrs

from kt.compiler.fields import GIGABYTE, MANY, Number, Text, count, not_enforced, required, setting

TOKENS = 10**12
DAY = 86400
MOST_PROXIES = 16
HEADER_BYTES = 2**20


@attrs.frozen(kw_only=True)
class GroupLimits:
    """`rate_limits` of a consumer group."""

    SECTION: ClassVar[str] = "consumer_groups.rate_limits"
    requests_per_minute: Number | None = count(least=0)
    requests_per_hour: Number | None = count(least=0)
    requests_per_day: Number | None = count(least=0)
    tokens_per_minute: Number | None = setting(least=0, most=TOKENS)
    tokens_per_hour: Number | None = setting(least=0, most=TOKENS)
    tokens_per_day: Number | None = setting(least=0, most=TOKENS)


@attrs.frozen(kw_only=True)
class LimitDefaults(GroupLimits):
    """`rate_limit_defaults`: for groups that do not say otherwise, and for those of no group."""

    SECTION: ClassVar[str] = "rate_limit_defaults"
    response_headers: bool | None = setting()


@attrs.frozen(kw_only=True)
class KeyRef:
    """Where a client key is found; exactly one of the two."""

    SECTION: ClassVar[str] = "consumer_groups.api_key_ref"
    env: Text | None = setting()
    store: Text | None = setting()


@attrs.frozen(kw_only=True)
class ConsumerGroup:
    """`consumer_groups`: clients with keys of their own."""

    SECTION: ClassVar[str] = "consumer_groups"
    name: Text = required(least=1, most=200)
    description: Text | None = setting()
    api_key: Text | None = setting(least=8, most=1000)
    api_keys: tuple[Text, ...] = setting(())
    api_key_env: Text | None = setting()
    api_key_ref: KeyRef | None = setting()
    default: bool | None = setting()
    rate_limits: GroupLimits | None = setting()
    allowed_models: tuple[str, ...] = setting(())
    model_group: Text | None = not_enforced()
    targets: tuple[str, ...] = setting((), is_enforced=False)


@attrs.frozen(kw_only=True)
class GlobalLimit:
    """`global_rate_limit`."""

    SECTION: ClassVar[str] = "global_rate_limit"
    max_requests: Number = required(least=0, most=MANY * 1000)
    window_seconds: Number = required(least=1, most=30 * DAY)


@attrs.frozen(kw_only=True)
class AddressLimit(GlobalLimit):
    """`ip_rate_limit`."""

    SECTION: ClassVar[str] = "ip_rate_limit"
    trust_proxy_depth: Number | None = setting(least=0, most=MOST_PROXIES)


@attrs.frozen(kw_only=True)
class UserLimit(GlobalLimit):
    """`user_rate_limit`."""

    SECTION: ClassVar[str] = "user_rate_limit"
    header_names: tuple[Text, ...] = setting(())


@attrs.frozen(kw_only=True)
class TokenLimit:
    """`token_rate_limit`."""

    SECTION: ClassVar[str] = "token_rate_limit"
    max_tokens: Number = required(least=0, most=TOKENS)
    window_seconds: Number = required(least=1, most=30 * DAY)
    scope: Text | None = setting()


@attrs.frozen(kw_only=True)
class SizeLimits:
    """`size_limits`."""

    SECTION: ClassVar[str] = "size_limits"
    max_body_bytes: Number | None = setting(least=1, most=GIGABYTE)
    max_response_bytes: Number | None = setting(least=1, most=GIGABYTE)
    max_header_bytes: Number | None = setting(least=1024, most=HEADER_BYTES)
    max_header_count: Number | None = not_enforced()


@attrs.frozen(kw_only=True)
class IpAllowlist:
    """`ip_allowlist`."""

    SECTION: ClassVar[str] = "ip_allowlist"
    enabled: bool | None = setting()
    cidrs: tuple[Text, ...] = required()
    trust_proxy_depth: Number | None = setting(least=0, most=MOST_PROXIES)


@attrs.frozen(kw_only=True)
class Cors:
    """`cors`."""

    SECTION: ClassVar[str] = "cors"
    enabled: bool | None = setting()
    allow_origins: tuple[Text, ...] = setting(())
    allow_methods: tuple[Text, ...] = setting(())
    allow_headers: tuple[Text, ...] = setting(())
    expose_headers: tuple[Text, ...] = setting(())
    credentials: bool | None = setting()
    max_age: Number | None = setting(least=0, most=DAY)
