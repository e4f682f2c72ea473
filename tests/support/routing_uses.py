"""How the settings of routing are seen to act: who is asked, in which order, how often."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from tests.support.scenes import Scene
from tests.support.uses import LATER, Use, asks, gateway, target

# Any: YAML documents.

TARGETS = {
    "providers": {
        "targets": [
            {"id": "one", "base_url": "http://one"},
            {"id": "two", "base_url": "http://two"},
            {"id": "three", "base_url": "http://three"},
        ]
    }
}
FAILS = Scene(failing={"one": 503})
FOUR = asks("a", "b", "c", "d", gap=10, slow={"one": 5})


def providers(**keys: Any) -> dict[str, Any]:
    """Three targets, and more about them."""
    return {"providers": {**TARGETS["providers"], **keys}}


def retry(**keys: Any) -> dict[str, Any]:
    """Retries without chance."""
    return gateway(retry={"jitter": False, **keys})


def breaker(place: str, around: Callable[..., dict[str, Any]]) -> Mapping[str, Use]:
    """What a circuit breaker says, of one target and of all."""
    again = Scene(asks=("a",) * 7, failing={"one": 500, "sample": 500})
    later = attrs.evolve(again, asks=("a", "b"), gap=10)
    burst = attrs.evolve(later, at_once=3, head=1)
    one = {"failure_threshold": 1}
    return {
        f"{place}.enabled": Use(True, False, again, around()),
        f"{place}.failure_threshold": Use(1, 3, again, around()),
        f"{place}.cooldown_seconds": Use(5, 50, later, around(circuit_breaker=one)),
        f"{place}.recovery_timeout": Use("5s", "50s", later, around(circuit_breaker=one)),
        f"{place}.half_open_max_requests": Use(
            1, 2, burst, around(circuit_breaker={**one, "cooldown_seconds": 5})
        ),
    }


def routes(**keys: Any) -> dict[str, Any]:
    """A route to the second of three targets."""
    return {**TARGETS, "routes": [{"upstream": "two", **keys}]}


def groups(*members: dict[str, Any], field: str = "targets", **keys: Any) -> dict[str, Any]:
    """A model group that is asked for."""
    return {**TARGETS, "model_groups": [{"name": "m", field: list(members), **keys}]}


def members(field: str) -> Mapping[str, Use]:
    """What is said of a member of a model group."""
    one, two = {"target": "one"}, {"target": "two", "weight": 1}
    place = f"model_groups[].{field}[]"
    return {
        f"{place}.provider": Use("one", "two", around=groups()),
        f"{place}.target": Use("one", "two", around=groups()),
        f"{place}.id": Use("one", "two", around=groups()),
        f"{place}.model": Use("x", "y", around=groups(one, field=field)),
        f"{place}.weight": Use(1e9, 1e-9, around=groups(one, two, field=field)),
    }


ROUTING: Mapping[str, Use] = {
    "providers.targets[].weight": Use(
        1e9, 1e-9, around=providers(routing={"strategy": "weighted"})
    ),
    **breaker("providers.targets[].circuit_breaker", target),
    **breaker("providers.circuit_breaker", lambda **keys: {"providers": keys}),
    "providers.routing.strategy": Use("ordered", "round_robin", asks("a", "b"), TARGETS),
    "providers.routing.window_seconds": Use(
        5, 500, FOUR, providers(routing={"strategy": "lowest_latency", "min_sample_count": 1})
    ),
    "providers.routing.min_sample_count": Use(
        1, 3, FOUR, providers(routing={"strategy": "lowest_latency"})
    ),
    "providers.fallback.enabled": Use(True, False, FAILS, TARGETS),
    "providers.fallback.strategy": Use(
        "ordered", "round_robin", asks("a", "b"), providers(fallback={"provider": "three"})
    ),
    "providers.fallback.provider": Use("one", "two", FAILS, TARGETS),
    "providers.fallback.model": Use(
        "x", "y", Scene(failing={"one": 503, "three": 503}), providers(fallback={"provider": "two"})
    ),
    "providers.fallback.triggers": Use(["429"], ["503"], FAILS, TARGETS),
    "providers.fallback.retry_on": Use(["429"], ["503"], FAILS, TARGETS),
    "providers.fallback.max_fallback_attempts": Use(0, 1, FAILS, TARGETS),
    "providers.fallback.max_retries": Use(0, 1, FAILS, TARGETS),
    "providers.fallback.latency_window": Use(
        "5s", "500s", FOUR, providers(routing={"strategy": "lowest_latency", "min_sample_count": 1})
    ),
    "gateway.retry.enabled": Use(True, False, FAILS, retry()),
    "gateway.retry.max_attempts": Use(1, 3, FAILS, retry()),
    "gateway.retry.initial_delay": Use("1s", "2s", FAILS, retry()),
    "gateway.retry.max_delay": Use("1s", "2s", FAILS, retry(initial_delay="5s")),
    "gateway.retry.backoff_multiplier": Use(1.0, 3.0, FAILS, retry(max_attempts=4)),
    "gateway.retry.jitter": Use(False, True, FAILS),
    "gateway.retry.retryable_codes": Use([429], [503], FAILS, retry()),
    "routes[].enabled": Use(True, False, around=routes()),
    "routes[].path": Use("/v1/chat", "/other", around=routes()),
    "routes[].match": Use("prefix", "exact", around=routes(path="/v1/chat")),
    "routes[].methods": Use(["GET"], ["POST"], around=routes()),
    "routes[].headers": Use({"x-a": "1"}, {"x-a": "2"}, Scene(headers={"x-a": "1"}), routes()),
    "routes[].upstream": Use("one", "two", around=TARGETS),
    "routes[].model": Use("m", "other", around=routes()),
    "model_groups[].name": Use(
        "m", "other", around={**TARGETS, "model_groups": [{"targets": ["two"]}]}
    ),
    "model_groups[].strategy": Use(
        "ordered", "round_robin", asks("a", "b"), groups({"target": "one"}, {"target": "two"})
    ),
    **members("targets"),
    **members("models"),
    "model_groups[].aliases": Use(["m"], ["n"], around=groups({"target": "two"}, name="group")),
    "model_groups[].fallback_group": Use(
        "b",
        "c",
        FAILS,
        {
            **providers(fallback={"enabled": True}),
            "model_groups": [
                {"name": "m", "targets": ["one"]},
                {"name": "b", "targets": ["two"]},
                {"name": "c", "targets": ["three"]},
            ],
        },
    ),
    "model_mapping": Use({"m": {"one": "x"}}, {"m": {"one": "y"}}),
    "health_monitor.enabled": Use(True, False, asks("a", gap=40)),
    "health_monitor.interval_seconds": Use(3, 8, LATER, {"health_monitor": {"enabled": True}}),
    "health_monitor.timeout_ms": Use(
        100, 9000, attrs.evolve(LATER, head=1), {"health_monitor": {"interval_seconds": 7}}
    ),
    "health_monitor.path": Use("/one", "/two", LATER, {"health_monitor": {"interval_seconds": 7}}),
}
