"""Resolve what follows a target's failure: retries, fallbacks, circuit breakers, probes.

In: the sections as written. Out: plan values, None where a file does not ask for it. A word or a
status that is no trigger is reported.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kt.compiler.fields import Duration, Number, Text
from kt.compiler.provider_sections import CircuitBreaker, Fallback, HealthMonitor
from kt.compiler.sections import Retry
from kt.diagnostics import Report
from kt.limits import Count, Limit
from kt.routing import values as plan
from kt.routing.values import Trigger

ATTEMPTS = 3
INITIAL_DELAY = 0.5
MAX_DELAY = 10.0
MULTIPLIER = 2.0
RETRYABLE = frozenset(
    {
        Trigger.RATE_LIMIT,
        Trigger.INTERNAL_ERROR,
        Trigger.BAD_GATEWAY,
        Trigger.SERVICE_UNAVAILABLE,
    }
)
"""429, 500, 502 and 503."""
FALLBACKS = 3
TRIGGERS = frozenset({Trigger.RATE_LIMIT, Trigger.TIMEOUT, Trigger.SERVICE_UNAVAILABLE})
FAILURES = 5
COOLDOWN = 30.0
PROBES = 1
INTERVAL = 30.0
PROBE_TIMEOUT = 5.0
PROBE_PATH = "/v1/models"

DEFAULT = "default"

WORDS: Mapping[str, Trigger] = MappingProxyType(
    {
        **{one.value: one for one in Trigger},
        "rate_limit_exceeded": Trigger.RATE_LIMIT,
        "rate_limited": Trigger.RATE_LIMIT,
        "too_many_requests": Trigger.RATE_LIMIT,
        "5xx": Trigger.SERVER_ERROR,
        "unavailable": Trigger.SERVICE_UNAVAILABLE,
        "overloaded": Trigger.SERVICE_UNAVAILABLE,
        "authentication_error": Trigger.AUTH,
        "401": Trigger.AUTH,
        "403": Trigger.AUTH,
        "408": Trigger.TIMEOUT,
        "429": Trigger.RATE_LIMIT,
        "500": Trigger.INTERNAL_ERROR,
        "502": Trigger.BAD_GATEWAY,
        "503": Trigger.SERVICE_UNAVAILABLE,
        "504": Trigger.GATEWAY_TIMEOUT,
        "529": Trigger.SERVICE_UNAVAILABLE,
    }
)
"""Every published word, and every status, that means a trigger; `-` and `_` mean the same."""

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")


def resolve_retry(written: Retry | None, report: Report) -> plan.Retry | None:
    """How often one target is asked again."""
    if written is None or written.enabled is False:
        return None
    multiplier = written.backoff_multiplier
    if multiplier is not None and not 1.0 <= multiplier <= 100.0:
        report.add("out_of_range", written.span, least="1", most="100")
    codes = (Text(str(one.value), one.span) for one in written.retryable_codes)
    return plan.Retry(
        attempts=_count(written.max_attempts, ATTEMPTS, report),
        initial_delay=_limit(written.initial_delay, INITIAL_DELAY, report),
        max_delay=_limit(written.max_delay, MAX_DELAY, report),
        multiplier=MULTIPLIER if multiplier is None else multiplier,
        jitter=written.jitter is not False,
        triggers=_triggers(codes, report) or RETRYABLE,
    )


def resolve_fallback(
    written: Fallback | None, last: plan.Member | None, report: Report
) -> plan.Fallback | None:
    """After which failures the next target is asked."""
    if written is None or written.enabled is False:
        return None
    most = written.max_fallback_attempts or written.max_retries
    return plan.Fallback(
        attempts=_count(most, FALLBACKS, report),
        triggers=_triggers((*written.triggers, *written.retry_on), report) or TRIGGERS,
        last=last,
    )


def resolve_breaker(written: CircuitBreaker | None, report: Report) -> plan.Breaker | None:
    """When a target is left alone."""
    if written is None or written.enabled is False:
        return None
    seconds = written.cooldown_seconds
    cooldown = written.recovery_timeout
    if cooldown is None and seconds is not None:
        cooldown = Duration(float(seconds.value), seconds.span)
    return plan.Breaker(
        failures=_count(written.failure_threshold, FAILURES, report),
        cooldown=_limit(cooldown, COOLDOWN, report),
        probes=_count(written.half_open_max_requests, PROBES, report),
    )


def resolve_health(written: HealthMonitor | None, report: Report) -> plan.HealthMonitor | None:
    """How targets are probed in the background."""
    if written is None or written.enabled is False:
        return None
    path = written.path
    if path is not None and _PATH.fullmatch(path.value) is None:
        report.add("bad_path", path.span, hint="it begins with '/', as in /v1/models")
    return plan.HealthMonitor(
        interval=_limit(_seconds(written.interval_seconds, 1.0), INTERVAL, report),
        timeout=_limit(_seconds(written.timeout_ms, 0.001), PROBE_TIMEOUT, report),
        path=PROBE_PATH if path is None else path.value,
    )


def _triggers(words: Iterable[Text], report: Report) -> frozenset[Trigger]:
    found = set()
    for word in words:
        trigger = WORDS.get(word.value.lower().replace("-", "_"))
        if trigger is None:
            hint = (
                report.suggest(word.value, WORDS)
                or f"use {', '.join(one.value for one in Trigger)}"
            )
            report.add("unknown_word", word.span, word=word.value, hint=hint)
        else:
            found.add(trigger)
    return frozenset(found)


def _seconds(given: Number | None, unit: float) -> Duration | None:
    return None if given is None else Duration(given.value * unit, given.span)


def _limit(given: Duration | None, default: float, report: Report) -> Limit:
    if given is None:
        return Limit(default, origin=DEFAULT)
    return Limit(given.value, origin=report.source.place(given.span))


def _count(given: Number | None, default: int, report: Report) -> Count:
    if given is None:
        return Count(default, origin=DEFAULT)
    return Count(given.value, origin=report.source.place(given.span))
