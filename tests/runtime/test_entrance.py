"""A whole gateway with an entrance: who gets in, how often, and what becomes of the counters."""

import orjson
import pytest
import trio

from kt.plan import Access, ConsumerGroup, Cors, Networks, RateLimit, Scope, Unit
from kt.runtime.access import ANYBODY, digest_of
from kt.runtime.entrance import NO_PERMIT, Entrance, Used
from kt.runtime.identity import Identity
from kt.runtime.windows import Claim, MemoryWindows, Taken
from tests.support.asgi import Response, ask
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

KEY = "kt_cg_red_1"
RED = ConsumerGroup(name="red", keys=(digest_of(KEY),), allowed_models=("m",))
MODELS = "/v1/models"
CHAT = "/v1/chat/completions"


def per_minute(most: int, unit: Unit = Unit.REQUESTS, scope: Scope = Scope.ALL) -> RateLimit:
    """A limit in a window of a minute."""
    return RateLimit(scope=scope, unit=unit, most=most, seconds=60)


def code(answer: Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status, orjson.loads(answer.body)["error"]["code"]


def healthy() -> FakeProvider:
    """A provider that answers and counts ten tokens."""
    usage = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
    return FakeProvider(lambda _: json_answer({**completion("hi"), "usage": usage}))


def test_a_plan_without_access_has_no_entrance() -> None:
    assert Entrance.of(Access(), {}, MemoryWindows(), lambda: 0.0) is None

    async def main() -> None:
        async with gateway(plan(), healthy()) as app:
            assert app.entrance is None

    run_in_virtual_time(main)


def test_only_who_shows_a_key_gets_in_and_the_key_goes_no_further() -> None:
    async def main() -> None:
        provider = healthy()
        async with gateway(plan(access=Access(groups=(RED,))), provider) as app:
            assert code(await chat(app, "hi")) == (401, "invalid_api_key")
            assert code(await chat(app, "hi", {"x-api-key": "other"})) == (401, "invalid_api_key")
            assert code(await ask(app, "GET", MODELS)) == (401, "invalid_api_key")
            assert provider.asked == []
            assert (await ask(app, "GET", "/healthz")).status == 200
            headers = {"authorization": f"Bearer {KEY}"}
            assert (await chat(app, "hi", headers)).status == 200
            assert (await ask(app, "GET", MODELS, headers.items())).status == 200
            (request,) = provider.asked
            assert KEY not in str(request.headers)
            assert code(await chat(app, "hi", headers, model="large")) == (403, "model_not_allowed")

    run_in_virtual_time(main)


def test_names_count_only_with_a_key() -> None:
    rest = ConsumerGroup(name="rest", is_default=True)
    limit = RateLimit(
        scope=Scope.USER, unit=Unit.REQUESTS, most=1, seconds=60, headers=("x-user-id",)
    )

    async def main() -> None:
        access = Access(groups=(RED, rest), rate_limits=(limit,))
        async with gateway(plan(access=access), healthy()) as app:
            ann = {"x-user-id": "ann"}
            for _ in range(3):
                assert (await chat(app, "hi", ann)).status == 200
            known = {**ann, "x-api-key": KEY}
            assert (await chat(app, "hi", known)).status == 200
            assert code(await chat(app, "hi", known)) == (429, "rate_limited")

    run_in_virtual_time(main)


def test_a_window_lets_as_many_in_as_it_may_and_the_next_one_again() -> None:
    async def main() -> None:
        access = Access(rate_limits=(per_minute(2),), tells_rates=True)
        async with gateway(plan(access=access), healthy()) as app:
            first = await chat(app, "hi")
            second = await chat(app, "hi")
            assert [one.headers["x-ratelimit-remaining"] for one in (first, second)] == ["1", "0"]
            third = await chat(app, "hi")
            assert code(third) == (429, "rate_limited")
            await trio.sleep(int(third.headers["retry-after-ms"]) / 1000)
            assert (await chat(app, "hi")).status == 200

    run_in_virtual_time(main)


def test_tokens_of_an_answer_fill_the_window() -> None:
    async def main() -> None:
        access = Access(rate_limits=(per_minute(15, Unit.TOKENS),))
        async with gateway(plan(access=access), healthy()) as app:
            for status in (200, 200, 429):
                assert (await chat(app, "hi")).status == status

    run_in_virtual_time(main)


def test_a_stream_without_a_count_is_estimated() -> None:
    async def main() -> None:
        access = Access(rate_limits=(per_minute(10, Unit.TOKENS),))
        answer = streamed(["a", "b", "c"])
        provider = FakeProvider(lambda _: stream_answer(Body([answer])))
        async with gateway(plan(access=access), provider) as app:
            assert (await chat(app, "hi", stream=True)).status == 200
            assert code(await chat(app, "hi", stream=True)) == (429, "rate_limited")

    run_in_virtual_time(main)


def test_a_failed_request_uses_no_tokens() -> None:
    async def main() -> None:
        access = Access(rate_limits=(per_minute(1, Unit.TOKENS),))
        provider = FakeProvider(lambda _: json_answer({"error": "x" * 100}, 503))
        async with gateway(plan(access=access), provider) as app:
            for _ in range(3):
                assert (await chat(app, "hi")).status == 502

    run_in_virtual_time(main)


def test_addresses_are_asked_everywhere_but_where_life_is_asked_for() -> None:
    async def main() -> None:
        access = Access(networks=Networks(cidrs=("10.0.0.0/8",), proxies=1))
        async with gateway(plan(access=access), healthy()) as app:
            assert code(await chat(app, "hi")) == (403, "address_not_allowed")
            assert (await ask(app, "GET", "/metrics")).status == 403
            assert (await ask(app, "GET", "/healthz")).status == 200
            assert (await chat(app, "hi", {"x-forwarded-for": "10.1.1.1"})).status == 200

    run_in_virtual_time(main)


def test_browsers_are_told_what_they_may_before_they_show_a_key() -> None:
    cors = Cors(
        origins=("https://a.example",),
        methods=("POST",),
        headers=("Authorization",),
        exposed=(),
        credentials=False,
        max_age=None,
    )
    here = [("origin", "https://a.example"), ("access-control-request-method", "POST")]

    async def main() -> None:
        async with gateway(plan(access=Access(groups=(RED,), cors=cors)), healthy()) as app:
            allowed = await ask(app, "OPTIONS", CHAT, here)
            assert (allowed.status, allowed.body) == (200, b"")
            assert allowed.headers["access-control-allow-origin"] == "https://a.example"
            refused = await chat(app, "hi", dict(here[:1]))
            assert refused.status == 401
            assert refused.headers["access-control-allow-origin"] == "https://a.example"
            assert refused.headers["vary"] == "Origin"
            assert (await ask(app, "OPTIONS", CHAT)).status == 405

    run_in_virtual_time(main)


@pytest.mark.parametrize(
    ("used", "left"),
    [
        (Used(code=None, tokens=7, asked=99, answered=99, events=0), 3),
        (Used(code=None, tokens=None, asked=8, answered=8, events=0), 6),
        (Used(code="upstream_5xx", tokens=None, asked=8, answered=0, events=0), 10),
    ],
)
def test_what_was_used_is_counted(used: Used, left: int) -> None:
    store, limit = MemoryWindows(), per_minute(10, Unit.TOKENS)
    entrance = Entrance.of(Access(rate_limits=(limit,)), {}, store, lambda: 0.0)
    assert entrance is not None
    permit = entrance.admit("10.0.0.1", {}, Identity.of({}), ANYBODY)
    entrance.settle(permit, used)
    entrance.settle(NO_PERMIT, used)
    assert store.take([Claim(limit, "", 0)], 0.0) == Taken((left,))


def test_a_plan_that_follows_goes_on_where_the_one_before_was() -> None:
    store, one, other = MemoryWindows(), per_minute(1), per_minute(2)
    first = Entrance.of(Access(rate_limits=(one, other)), {}, store, lambda: 0.0)
    second = Entrance.of(Access(rate_limits=(other,)), {}, store, lambda: 0.0)
    assert first is not None
    assert second is not None
    first.admit("10.0.0.1", {}, Identity.of({}), ANYBODY)
    second.take_over()
    assert store.take([Claim(other, "", 0)], 0.0) == Taken((1,))
    assert store.take([Claim(one, "", 0)], 0.0) == Taken((1,))
