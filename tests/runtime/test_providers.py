"""The page of the providers."""

import orjson

from kt.runtime.providers import names_of_models
from tests.support.asgi import ask
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, target
from tests.support.upstreams import FakeProvider, completion, json_answer

TARGETS = (target("a", "http://a", model="big"), target("b", "http://b"), target("c", "http://c"))


def test_a_model_is_called_by_its_name_else_by_its_target() -> None:
    assert list(names_of_models(plan(targets=TARGETS))) == ["big", "b", "c"]


def test_the_page_of_providers_counts_what_happened() -> None:

    provider = FakeProvider(lambda _: json_answer(completion("fine")), head_seconds=0.2)

    async def main() -> None:
        async with gateway(plan(targets=TARGETS), provider) as app:
            await chat(app, "hello")
            page = orjson.loads((await ask(app, "GET", "/keeptrusts/providers/metrics")).body)
        first, second, _ = page["providers"]
        assert (first["id"], first["attempts"], first["succeeded"], first["circuit"]) == (
            *("a", 1, 1),
            "closed",
        )
        assert first["latency_ms"] == {"samples": 1, "p50": 200.0, "p90": 200.0, "p99": 200.0}
        assert (second["attempts"], second["latency_ms"]["p50"]) == (0, None)

    run_in_virtual_time(main)
