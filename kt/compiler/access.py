"""Resolve who may ask and how often: consumer groups, rate limits, networks and browsers' rules.

In: the sections as written. Out: the plan's access. Never: a client key in the clear; what is not
understood is refused, because whatever is left out here lets more people in.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from ipaddress import ip_network
from types import MappingProxyType

from kt.compiler import access_sections as written
from kt.compiler.fields import Number, Text
from kt.compiler.model import Config
from kt.diagnostics import Related, Report
from kt.plan import (
    Access,
    ConsumerGroup,
    Cors,
    Networks,
    RateLimit,
    Scope,
    SecretFrom,
    SecretRef,
    Unit,
)

USER_HEADER = "x-user-id"
METHODS = ("GET", "POST", "OPTIONS")
HEADERS = ("Authorization", "Content-Type")
ANY = "*"

PERIODS = (("minute", 60), ("hour", 3600), ("day", 86400))

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_STORE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[A-Za-z0-9.:\[\]_-]+")


def resolve_access(config: Config, report: Report) -> Access:
    """Everything about who may ask."""
    defaults = config.rate_limit_defaults
    return Access(
        groups=_groups(config, report),
        networks=_networks(config.ip_allowlist, report),
        rate_limits=(*_windows(config, report), *_group_limits(config, report)),
        tells_rates=defaults is not None and defaults.response_headers is True,
        cors=_cors(config.cors, report),
    )


def _groups(config: Config, report: Report) -> tuple[ConsumerGroup, ...]:
    groups = config.consumer_groups
    _report_twice([one.name for one in groups], "duplicate_group", report)
    _report_twice([key for one in groups for key in _keys(one)], "client_key_twice", report)
    defaults = [one.name for one in groups if one.default]
    for name in defaults[1:]:
        related = (Related("first given", defaults[0].span),)
        report.add("second_default", name.span, word=name.value, related=related)
    return tuple(_group(one, report) for one in groups)


def _report_twice(texts: list[Text], code: str, report: Report) -> None:
    first: dict[str, Text] = {}
    for text in texts:
        known = first.setdefault(text.value, text)
        if known is not text:
            related = (Related("first given", known.span),)
            words = {} if code == "client_key_twice" else {"word": text.value}
            report.add(code, text.span, related=related, **words)


def _keys(group: written.ConsumerGroup) -> tuple[Text, ...]:
    return (*((group.api_key,) if group.api_key else ()), *group.api_keys)


def _group(group: written.ConsumerGroup, report: Report) -> ConsumerGroup:
    secrets = tuple(_secrets(group, report))
    for key in _keys(group):
        hint = "anybody who reads this file can use it: name it in api_key_ref.env instead"
        report.add("literal_client_key", key.span, hint=hint)
    if not (group.default or secrets or _keys(group)):
        hint = "give it an api_key_ref, or make it the default"
        report.add("group_without_key", group.name.span, word=group.name.value, hint=hint)
    return ConsumerGroup(
        name=group.name.value,
        keys=tuple(sha256(key.value.encode()).hexdigest() for key in _keys(group)),
        secrets=secrets,
        is_default=group.default is True,
        allowed_models=() if ANY in group.allowed_models else group.allowed_models,
        origin=report.source.place(group.name.span),
    )


def _secrets(group: written.ConsumerGroup, report: Report) -> Iterator[SecretRef]:
    if group.api_key_env is not None:
        yield _secret(SecretFrom.ENV, group.api_key_env, report)
    ref = group.api_key_ref
    if ref is None:
        return
    if (ref.env is None) == (ref.store is None):
        report.add("secret_sources", group.name.span)
    if ref.env is not None:
        yield _secret(SecretFrom.ENV, ref.env, report)
    if ref.store is not None:
        yield _secret(SecretFrom.STORE, ref.store, report)


def _secret(source: SecretFrom, name: Text, report: Report) -> SecretRef:
    form = _ENV_NAME if source is SecretFrom.ENV else _STORE_NAME
    if form.fullmatch(name.value) is None:
        report.add("bad_secret_name", name.span)
    return SecretRef(source=source, name=name.value)


def _windows(config: Config, report: Report) -> Iterator[RateLimit]:
    if (every := config.global_rate_limit) is not None:
        yield _limit(Scope.ALL, every, report)
    if (address := config.ip_rate_limit) is not None:
        yield _limit(Scope.ADDRESS, address, report, proxies=_depth(address.trust_proxy_depth))
    if (user := config.user_rate_limit) is not None:
        yield _limit(Scope.USER, user, report, headers=_header_names(user, report))
    if (tokens := config.token_rate_limit) is not None:
        yield _token_limit(tokens, report)


def _limit(
    scope: Scope,
    limit: written.GlobalLimit,
    report: Report,
    *,
    proxies: int = 0,
    headers: tuple[str, ...] = (),
) -> RateLimit:
    return RateLimit(
        scope=scope,
        unit=Unit.REQUESTS,
        most=limit.max_requests.value,
        seconds=limit.window_seconds.value,
        proxies=proxies,
        headers=headers,
        origin=report.source.place(limit.max_requests.span),
    )


def _header_names(user: written.UserLimit, report: Report) -> tuple[str, ...]:
    for name in user.header_names:
        if _TOKEN.fullmatch(name.value) is None:
            report.add("bad_header", name.span)
    return tuple(name.value.lower() for name in user.header_names) or (USER_HEADER,)


_TOKEN_SCOPES: Mapping[str, Scope] = MappingProxyType(
    {"global": Scope.ALL, "ip": Scope.ADDRESS, "user": Scope.USER}
)


def _token_limit(tokens: written.TokenLimit, report: Report) -> RateLimit:
    word = "global" if tokens.scope is None else tokens.scope.value
    scope = _TOKEN_SCOPES.get(word)
    if tokens.scope is not None and scope is None:
        hint = f"use one of {', '.join(_TOKEN_SCOPES)}"
        report.add("unknown_word", tokens.scope.span, word=word, hint=hint)
    return RateLimit(
        scope=scope or Scope.ALL,
        unit=Unit.TOKENS,
        most=tokens.max_tokens.value,
        seconds=tokens.window_seconds.value,
        headers=(USER_HEADER,) if scope is Scope.USER else (),
        origin=report.source.place(tokens.max_tokens.span),
    )


def _group_limits(config: Config, report: Report) -> Iterator[RateLimit]:
    defaults = config.rate_limit_defaults or written.LimitDefaults()
    for group in config.consumer_groups:
        own = group.rate_limits or written.GroupLimits()
        yield from _limits_of(group.name.value, (own, defaults), report)
    if not any(group.default for group in config.consumer_groups):
        yield from _limits_of(None, (defaults,), report)


def _limits_of(
    group: str | None, limits: tuple[written.GroupLimits, ...], report: Report
) -> Iterator[RateLimit]:
    for unit in Unit:
        for period, seconds in PERIODS:
            given = (getattr(one, f"{unit.value}_per_{period}") for one in limits)
            most: Number | None = next((one for one in given if one is not None), None)
            if most is not None:
                yield RateLimit(
                    scope=Scope.GROUP,
                    unit=unit,
                    most=most.value,
                    seconds=seconds,
                    group=group,
                    origin=report.source.place(most.span),
                )


def _networks(allowed: written.IpAllowlist | None, report: Report) -> Networks | None:
    if allowed is None or allowed.enabled is False:
        return None
    cidrs = []
    for cidr in allowed.cidrs:
        try:
            cidrs.append(str(ip_network(cidr.value)))
        except ValueError:
            hint = "write an address or a network without host bits: 10.0.0.0/8, 2001:db8::/32"
            report.add("bad_network", cidr.span, word=cidr.value, hint=hint)
    origin = report.source.place(allowed.cidrs[0].span) if allowed.cidrs else ""
    return Networks(cidrs=tuple(cidrs), proxies=_depth(allowed.trust_proxy_depth), origin=origin)


def _depth(number: Number | None) -> int:
    return 0 if number is None else number.value


def _cors(cors: written.Cors | None, report: Report) -> Cors | None:
    if cors is None or cors.enabled is False:
        return None
    for origin in cors.allow_origins:
        if _ORIGIN.fullmatch(origin.value) is None:
            hint = "write * or scheme, host and port alone: https://app.example.com"
            report.add("bad_origin", origin.span, hint=hint)
        elif origin.value == ANY and cors.credentials:
            hint = "name the origins, or leave credentials out: browsers refuse both together"
            report.add("any_origin_with_credentials", origin.span, hint=hint)
    for name in (*cors.allow_methods, *cors.allow_headers, *cors.expose_headers):
        if _TOKEN.fullmatch(name.value) is None:
            report.add("bad_header", name.span)
    return Cors(
        origins=_values(cors.allow_origins),
        methods=_values(cors.allow_methods) or METHODS,
        headers=_values(cors.allow_headers) or HEADERS,
        exposed=_values(cors.expose_headers),
        credentials=cors.credentials is True,
        max_age=None if cors.max_age is None else cors.max_age.value,
        origin=report.source.place(cors.allow_origins[0].span) if cors.allow_origins else "",
    )


def _values(texts: tuple[Text, ...]) -> tuple[str, ...]:
    return tuple(text.value for text in texts)
