"""Laws of routing through the whole gateway, on a virtual clock: targets behave as a script says.

Never more attempts than the rules give, never one after the first byte, never beyond the deadline.
"""

import attrs
import httpx
import orjson
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from kt.plan import Plan
from kt.routing.values import Breaker, Fallback, Retry, Routing, Strategy
from tests.support.asgi import Response
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, target
from tests.support.routing import breaker, fallback, retry
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

REQUEST = 20.0


@attrs.define
class Scripted(httpx.AsyncBaseTransport):
    """Targets that behave, one attempt after the other, as a script says; then they are fine."""

    script: list[str]
    asked: list[tuple[str, float, str]] = attrs.field(factory=list)
    """Who was asked when, and what it did."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Behave."""
        word = self.script.pop(0) if self.script else "fine"
        self.asked.append((request.url.host, trio.current_time(), word))
        provider = FakeProvider(
            lambda _: answer(word),
            refuses=word == "refuse",
            head_seconds=1000.0 if word == "stall" else 0.1,
        )
        return await provider.handle_async_request(request)


def answer(word: str) -> httpx.Response:
    """What a target says."""
    match word:
        case "500" | "503" | "401" | "400":
            return json_answer({"error": {"message": word}}, int(word))
        case "429":
            headers = {"retry-after": "2"}
            return json_answer({"error": {"message": word}}, 429, **headers)
        case "cut":
            return stream_answer(Body([streamed(["a"]).partition(b"data: [DONE]")[0]], is_cut=True))
        case _:
            return json_answer(completion("fine"))


def routed(rules: Routing, rule: Breaker | None = None) -> Plan:
    """Three targets with tight limits."""
    targets = tuple(attrs.evolve(target(one, f"http://{one}"), breaker=rule) for one in "abc")
    made = plan(targets=targets, connect=1.0, first_byte=3.0, inter_chunk=2.0, request=REQUEST)
    return attrs.evolve(made, routing=rules)


def asked(whole: Plan, *scripts: list[str]) -> list[tuple[Response, Scripted, float]]:
    """One request after the other through one gateway, each with its script and its seconds."""
    found = []

    async def main() -> None:
        transport = Scripted([])
        async with gateway(whole, transport) as app:
            for script in scripts:
                transport.script, transport.asked = list(script), []
                began = trio.current_time()
                response = await chat(app, "hello")
                seen = Scripted([], [(who, at - began, did) for who, at, did in transport.asked])
                found.append((response, seen, trio.current_time() - began))

    run_in_virtual_time(main)
    return found


def who(seen: Scripted) -> str:
    """The targets in the order in which they were asked."""
    return "".join(one for one, _, _ in seen.asked)


WORDS = st.sampled_from(["refuse", "500", "503", "429", "401", "400", "stall", "cut", "fine"])
RETRIES = st.none() | st.builds(lambda most: retry(attempts=most, most=4.0), st.integers(1, 3))
FALLBACKS = st.none() | st.builds(fallback, st.integers(0, 3))
FINAL = frozenset({"400", "cut", "fine"})


def check(rules: Routing, found: tuple[Response, Scripted, float]) -> None:
    """The laws of one request."""
    response, seen, seconds = found
    of_each = 1 if rules.retry is None else rules.retry.attempts.value
    most = 3 if rules.fallback is None else min(3, 1 + rules.fallback.attempts.value)
    words = [did for _, _, did in seen.asked]
    assert 1 <= len(words) <= of_each * most
    assert seconds <= REQUEST + 1e-6
    assert all(at < REQUEST for _, at, _ in seen.asked)
    # What the client got the first byte of, and what is his own fault, ends it.
    assert not FINAL & set(words[:-1])
    assert (response.status == 200) == (words[-1] in ("fine", "cut"))
    order = list(dict.fromkeys(who(seen)))
    assert order == ["a", "b", "c"][: len(order)]


@settings(max_examples=80)
@given(st.lists(WORDS, max_size=10), RETRIES, FALLBACKS)
def test_every_script_keeps_the_laws(
    script: list[str], again: Retry | None, elsewhere: Fallback | None
) -> None:
    rules = Routing(retry=again, fallback=elsewhere)
    (found,) = asked(routed(rules), script)
    check(rules, found)


def test_the_laws_find_one_attempt_too_many() -> None:
    """Planted: the rules are said to give less than they do."""
    (found,) = asked(routed(Routing(retry=retry(attempts=2))), ["503", "fine"])
    with pytest.raises(AssertionError):
        check(Routing(fallback=fallback(attempts=0)), found)


def test_the_last_refusal_is_passed_on_as_it_came() -> None:
    rules = Routing(fallback=fallback(attempts=1))
    ((response, seen, _),) = asked(routed(rules), ["500", "429"])
    assert (who(seen), response.status) == ("ab", 429)
    assert response.headers["retry-after"] == "2"
    assert orjson.loads(response.body) == {"error": {"message": "429"}}


def test_a_failure_after_others_says_that_coming_again_is_no_use() -> None:
    rules = Routing(retry=retry(attempts=2))
    ((response, seen, _),) = asked(routed(rules), ["503", "503"])
    assert (who(seen), response.status) == ("aa", 502)
    assert response.headers["x-should-retry"] == "false"


def test_the_advice_of_a_provider_is_waited_for() -> None:
    rules = Routing(retry=retry(attempts=2))
    ((_, seen, _),) = asked(routed(rules), ["429", "fine"])
    (_, first, _), (_, second, _) = seen.asked
    assert second - first == pytest.approx(0.1 + 2.0)


def test_a_target_that_stalls_leads_to_the_next_one() -> None:
    ((response, seen, seconds),) = asked(routed(Routing(fallback=fallback())), ["stall"])
    assert (who(seen), response.status) == ("ab", 200)
    assert seconds == pytest.approx(3.0 + 0.1)


def test_round_robin_begins_with_the_next_target_for_each_request() -> None:
    found = asked(routed(Routing(strategy=Strategy.ROUND_ROBIN)), *([["fine"]] * 4))
    assert [who(seen) for _, seen, _ in found] == ["a", "b", "c", "a"]


def test_an_open_circuit_is_passed_by_and_all_open_is_a_refusal() -> None:
    rules = Routing(fallback=fallback())
    whole = routed(rules, breaker(failures=1, cooldown=10.0))
    found = asked(whole, ["500"], ["fine"], ["500", "500"], ["fine"])
    assert [who(seen) for _, seen, _ in found] == ["ab", "b", "bc", ""]
    refusal = found[-1][0]
    assert (refusal.status, refusal.headers["retry-after"]) == (503, "10")
    assert orjson.loads(refusal.body)["error"]["code"] == "circuit_open"
