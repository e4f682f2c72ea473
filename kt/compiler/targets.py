"""Resolve targets: where each one is, how it is asked, and what the command line puts in its place.

In: the targets as written. Out: plan targets, complete. Never: the value of a secret.
"""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from kt.compiler.connections import resolve_tls
from kt.compiler.failing import resolve_breaker
from kt.compiler.fields import Text
from kt.compiler.gateway_sections import Gateway
from kt.compiler.limits import resolve_pool
from kt.compiler.model import Config, SecretKeyRef, Target
from kt.compiler.provider_sections import CircuitBreaker
from kt.compiler.settings import Settings, Upstream
from kt.compiler.urls import clean_url, host_of
from kt.diagnostics import Related, Report
from kt.errors import UsageError
from kt.exchange import Dialect
from kt.plan import SecretFrom, SecretRef
from kt.plan import Target as PlanTarget


@attrs.frozen
class Provider:
    """What is known of a provider by its name."""

    base_url: str
    api_key_header: str = "Authorization"
    api_key_prefix: str = "Bearer "
    format: Dialect | None = Dialect.OPENAI
    """The wire formats that it speaks; None: more than one family, or nobody knows."""


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": Provider("https://api.openai.com"),
        "anthropic": Provider("https://api.anthropic.com", "x-api-key", "", Dialect.ANTHROPIC),
        "aimlapi": Provider("https://api.aimlapi.com"),
        "alibaba": Provider("https://dashscope-intl.aliyuncs.com/compatible-mode"),
        "cerebras": Provider("https://api.cerebras.ai"),
        "cohere": Provider("https://api.cohere.ai/compatibility"),
        "deepseek": Provider("https://api.deepseek.com"),
        "fireworks": Provider("https://api.fireworks.ai/inference"),
        "groq": Provider("https://api.groq.com/openai"),
        "huggingface": Provider("https://router.huggingface.co"),
        "litellm": Provider("http://localhost:4000", format=None),
        "llamaApi": Provider("https://api.llama.com/compat"),
        "localai": Provider("http://localhost:8080", format=None),
        "mistral": Provider("https://api.mistral.ai"),
        "nvidia": Provider("https://integrate.api.nvidia.com"),
        "ollama": Provider("http://localhost:11434", format=None),
        "openrouter": Provider("https://openrouter.ai/api", format=None),
        "sambanova": Provider("https://api.sambanova.ai"),
        "together": Provider("https://api.together.xyz"),
        "togetherai": Provider("https://api.together.xyz"),
        "vllm": Provider("http://localhost:8000", format=None),
        "xai": Provider("https://api.x.ai"),
    }
)
"""The providers whose address needs not be written, and what they speak."""

WITHOUT_ADDRESS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("azure", "azure-openai"), "add base_url: every resource has an address of its own"
        ),
        **dict.fromkeys(
            ("bedrock", "aws-bedrock"),
            "AWS signs requests in a way that kt does not speak; name a proxy in base_url",
        ),
        **dict.fromkeys(
            ("google", "google-ai-studio", "gemini", "vertex", "vertex-ai", "google-vertex-ai"),
            "it speaks a format of its own, which kt does not translate; name a proxy in base_url",
        ),
    }
)
"""Providers that are known, with what to do for want of an address that would do for everybody."""

ENDPOINTS = ("chat", "completion", "embedding")
"""The second part of a provider that is written as `vendor:kind:model`."""

FROM_FLAG = "--upstream"
"""The origin, and the id `upstream`, of a target that only the command line knows."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PREFIX = re.compile(r"[\x20-\x7e]*")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_STORE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def resolve_targets(config: Config, settings: Settings, report: Report) -> tuple[PlanTarget, ...]:
    """Every target, in the order in which it was written, with `--upstream` applied."""
    gateway = config.gateway
    shared = config.providers.circuit_breaker
    resolved = tuple(_target(one, shared, gateway, report) for one in config.providers.targets)
    for upstream in settings.upstreams:
        resolved = _overruled(resolved, upstream, gateway, report)
    return resolved


def _target(
    written: Target, shared: CircuitBreaker | None, gateway: Gateway, report: Report
) -> PlanTarget:
    target = _named(written, report)
    base_url = _base_url(target, report)
    known = _provider(target, base_url)
    return PlanTarget(
        id=target.id.value,
        base_url=base_url,
        model=None if target.model is None else target.model.value,
        secret=_secret(target.secret_key_ref, report),
        api_key_header=_matching(target.api_key_header, _HEADER, known.api_key_header, report),
        api_key_prefix=_matching(target.api_key_prefix, _PREFIX, known.api_key_prefix, report),
        pool=resolve_pool(target.pool, gateway, report),
        format=target.format or known.format,
        weight=1.0 if target.weight is None else target.weight,
        breaker=resolve_breaker(target.circuit_breaker or shared, report),
        tls=resolve_tls(target.tls, report),
        origin=report.source.place(target.span),
    )


def _named(target: Target, report: Report) -> Target:
    """The target with the parts of `vendor:kind:model`; without any word, its id names it."""
    name = target.provider
    if name is None:
        is_known = target.base_url is None and target.id.value in (*PROVIDERS, *WITHOUT_ADDRESS)
        return attrs.evolve(target, provider=target.id if is_known else None)
    vendor, _, rest = name.value.partition(":")
    kind, _, model = rest.partition(":")
    if not rest:
        return target
    if kind not in ENDPOINTS:
        hint = report.suggest(kind, ENDPOINTS) or f"use one of {', '.join(ENDPOINTS)}"
        report.add("unknown_word", name.span, word=kind, hint=hint)
    if model and target.model is not None and target.model.value != model:
        related = (Related("first given", name.span),)
        span, word = target.model.span, target.model.value
        report.add("given_twice", span, word=word, other=model, related=related)
    chosen = target.model or (Text(model, name.span) if model else None)
    return attrs.evolve(target, provider=Text(vendor, name.span), model=chosen)


def _base_url(target: Target, report: Report) -> str:
    written = target.base_url
    if written is not None:
        try:
            return clean_url(written.value)
        except ValueError as problem:
            report.add("bad_url", written.span, problem=str(problem))
            return ""
    name = target.provider
    if name is None:
        report.add("missing_key", target.span, word="base_url", hint="or name the provider")
        return ""
    if name.value in PROVIDERS:
        return PROVIDERS[name.value].base_url
    _report_unknown(name, report)
    return ""


def _report_unknown(name: Text, report: Report) -> None:
    """A misspelled provider is an error; one of which no address is known is never asked."""
    nearest = report.suggest(name.value, (*PROVIDERS, *WITHOUT_ADDRESS))
    if nearest is not None and name.value not in WITHOUT_ADDRESS:
        report.add("unknown_provider", name.span, word=name.value, hint=nearest)
        return
    hint = WITHOUT_ADDRESS.get(name.value, "add base_url")
    report.add("no_address", name.span, word=name.value, hint=f"it is never asked: {hint}")


def _provider(target: Target, base_url: str) -> Provider:
    """The provider by its name, else by its host: published examples leave the name out."""
    if target.provider is not None:
        return PROVIDERS.get(target.provider.value, Provider(base_url, format=None))
    hosts = {host_of(known.base_url): known for known in PROVIDERS.values()}
    return hosts.get(host_of(base_url), Provider(base_url, format=None))


def _secret(ref: SecretKeyRef | None, report: Report) -> SecretRef | None:
    if ref is None:
        return None
    if (ref.env is None) == (ref.store is None):
        report.add("secret_sources", ref.span)
        return None
    if ref.env is not None:
        return SecretRef(source=SecretFrom.ENV, name=_matching(ref.env, _ENV_NAME, "", report))
    return SecretRef(source=SecretFrom.STORE, name=_matching(ref.store, _STORE_NAME, "", report))


def _matching(given: Text | None, form: re.Pattern[str], default: str, report: Report) -> str:
    if given is None:
        return default
    if form.fullmatch(given.value) is None:
        is_header = form in (_HEADER, _PREFIX)
        report.add("bad_header" if is_header else "bad_secret_name", given.span)
    return given.value


def _overruled(
    targets: tuple[PlanTarget, ...], upstream: Upstream, gateway: Gateway, report: Report
) -> tuple[PlanTarget, ...]:
    try:
        url = clean_url(upstream.url)
    except ValueError as problem:
        raise UsageError(f"--upstream: not a usable base URL: {problem}", "see --help") from None
    if upstream.target is None and not targets:
        return (_from_flag(url, gateway, report),)
    if upstream.target is not None and upstream.target not in {one.id for one in targets}:
        raise _unknown_target(upstream.target, targets)
    return tuple(_moved(one, url) if upstream.target in (None, one.id) else one for one in targets)


def _moved(target: PlanTarget, url: str) -> PlanTarget:
    return attrs.evolve(target, base_url=url, origin=f"{target.origin}, {FROM_FLAG}")


def _from_flag(url: str, gateway: Gateway, report: Report) -> PlanTarget:
    provider = Provider(url, format=None)
    return PlanTarget(
        id="upstream",
        base_url=url,
        model=None,
        secret=None,
        api_key_header=provider.api_key_header,
        api_key_prefix=provider.api_key_prefix,
        pool=resolve_pool(None, gateway, report),
        origin=FROM_FLAG,
    )


def _unknown_target(name: str, targets: tuple[PlanTarget, ...]) -> UsageError:
    ids = [one.id for one in targets]
    near = difflib.get_close_matches(name, ids, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "use --upstream URL without a target"
    return UsageError(f"--upstream names the target '{name}', which the file does not have", hint)
