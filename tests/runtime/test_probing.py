"""Background probes of targets."""

import attrs
import httpx
import trio

from kt.routing.values import HealthMonitor, Routing
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import limit, plan, target
from tests.support.upstreams import FakeProvider, completion, json_answer

TARGETS = (target("a", "http://a"), target("b", "http://b"), target("c", "http://c"))


def test_a_target_that_fails_its_probes_is_asked_last() -> None:

    monitor = HealthMonitor(interval=limit(10.0), timeout=limit(1.0), path="/v1/models")
    whole = attrs.evolve(plan(targets=TARGETS), routing=Routing(health=monitor))
    provider = FakeProvider(lambda _: json_answer(completion("fine")))

    def behave(request: httpx.Request) -> httpx.Response:
        is_down = request.url.host == "a" and request.method == "GET"
        return json_answer({}, 503) if is_down else json_answer(completion("fine"))

    provider.answer = behave

    async def main() -> None:
        async with gateway(whole, provider) as app:
            await trio.sleep(1.0)
            assert (await chat(app, "hello")).status == 200

    run_in_virtual_time(main)
    posts = [one.url.host for one in provider.asked if one.method == "POST"]
    probes = [one for one in provider.asked if one.method == "GET"]
    assert (posts, len(probes)) == (["b"], 3)
    assert str(probes[0].url).endswith("/v1/models")
