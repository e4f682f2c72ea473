"""What follows a failure, as it is written."""

import pytest

from kt.compiler import compile_source
from kt.compiler.failing import FALLBACKS, RETRYABLE, TRIGGERS, WORDS
from kt.errors import ConfigError
from kt.plan import Plan
from kt.routing.values import Trigger
from kt.source import Source

TARGETS = "targets: [{id: a, base_url: 'http://a'}, {id: b, base_url: 'http://b'}]"


def compiled(text: str) -> Plan:
    """The plan of a text."""
    return compile_source(Source("kt.yaml", text)).plan


@pytest.mark.parametrize(
    "text",
    [
        "providers: {%s, fallback: {triggers: [rate_limit, 5xx], max_fallback_attempts: 2}}",
        "providers: {%s, fallback: {retry_on: [429, server-error], max_retries: 2}}",
        "provider_fallback: {triggers: [rate_limit_exceeded, SERVER_ERROR],"
        " max_fallback_attempts: 2}\nproviders: {%s}",
        "fallback: {triggers: ['429', 5xx], max_fallback_attempts: 2}\nproviders: {%s}",
    ],
)
def test_every_published_shape_of_a_fallback_means_the_same(text: str) -> None:
    text = text.replace("[429", "['429'")
    found = compiled(text.replace("%s", TARGETS)).routing.fallback
    assert found is not None
    assert found.triggers == {Trigger.RATE_LIMIT, Trigger.SERVER_ERROR}
    assert found.attempts.value == 2


def test_a_fallback_without_words_has_the_published_ones() -> None:
    found = compiled(f"fallback: {{}}\nproviders: {{{TARGETS}}}").routing.fallback
    assert found is not None
    assert (found.triggers, found.attempts.value) == (TRIGGERS, FALLBACKS)
    assert (
        compiled(f"fallback: {{enabled: false}}\nproviders: {{{TARGETS}}}").routing.fallback is None
    )


def test_a_fallback_may_name_who_stands_in() -> None:
    found = compiled(f"fallback: {{provider: b, model: m}}\nproviders: {{{TARGETS}}}")
    assert found.routing.fallback is not None
    assert found.routing.fallback.last is not None
    assert (found.routing.fallback.last.target, found.routing.fallback.last.model) == ("b", "m")


def test_retries_are_as_written_and_else_as_published() -> None:
    found = compiled("gateway: {retry: {}}").routing.retry
    assert found is not None
    assert (found.attempts.value, found.triggers, found.jitter) == (3, RETRYABLE, True)
    text = "gateway: {retry: {max_attempts: 2, jitter: false, retryable_codes: [429, 504]}}"
    found = compiled(text).routing.retry
    assert found is not None
    assert (found.attempts.value, found.jitter) == (2, False)
    assert found.triggers == {Trigger.RATE_LIMIT, Trigger.GATEWAY_TIMEOUT}


def test_a_breaker_of_a_target_stands_before_that_of_all() -> None:
    text = (
        "circuit_breaker: {failure_threshold: 4, cooldown_seconds: 20}\n"
        "providers: {targets: [{id: a, base_url: 'http://a'},"
        " {id: b, base_url: 'http://b', circuit_breaker: {recovery_timeout: 5s}}]}"
    )
    first, second = (one.breaker for one in compiled(text).targets)
    assert first is not None
    assert second is not None
    assert (first.failures.value, first.cooldown.seconds) == (4, 20.0)
    assert (second.failures.value, second.cooldown.seconds) == (5, 5.0)


def test_probes_are_as_written() -> None:
    found = compiled("health_monitor: {interval_seconds: 7, timeout_ms: 500}").routing.health
    assert found is not None
    assert (found.interval.seconds, found.timeout.seconds, found.path) == (7.0, 0.5, "/v1/models")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fallback: {triggers: [sometimes]}", "unknown_word"),
        ("gateway: {retry: {retryable_codes: [418]}}", "unknown_word"),
        ("gateway: {retry: {backoff_multiplier: 0.5}}", "out_of_range"),
        ("health_monitor: {path: models}", "bad_path"),
    ],
)
def test_what_means_nothing_is_an_error(text: str, name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(text)
    assert [one.name for one in raised.value.report.errors] == [name]


def test_every_trigger_has_a_word() -> None:
    assert set(WORDS.values()) == set(Trigger)
