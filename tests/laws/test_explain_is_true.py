"""What the explanation says of order and time is what the gateway does, on a virtual clock."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import attrs
import httpx
import orjson
import pytest
import trio

from kt.compiler import compile_source
from kt.exchange import Segment
from kt.explain import explain_text
from kt.patterns.scanner import IsOver
from kt.plan import Plan, Stage, Step, to_data
from kt.policy import ALLOW, Cost, Phase, Verdict
from kt.runtime.app import App
from kt.runtime.engine import BoundStep
from kt.source import Source
from kt.units import parse_duration
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step, target
from tests.support.upstreams import Body, FakeProvider, completion, json_answer

# ---- The order in which stages run

Times = dict[str, tuple[float, float]]
SECONDS = 0.1


def waiting(name: str, phase: Phase, order: int, seconds: float = 2.0) -> Step:
    """A step that waits for the network."""
    step = scan_step(name, "a", phase=phase, seconds=seconds, order=order)
    return attrs.evolve(step, facts=attrs.evolve(step.facts, cost=Cost.NETWORK))


def bound(step: Step, seconds: float, times: Times) -> BoundStep:
    """A step whose check takes that long, and writes down when it ran."""

    async def later() -> Verdict:
        began = trio.current_time()
        await trio.sleep(seconds)
        times[step.name] = (began, trio.current_time())
        return ALLOW

    def check(segments: tuple[Segment, ...], is_over: IsOver) -> Awaitable[Verdict]:
        return later()

    return BoundStep(step, check)


def with_checks(app: App, seconds: Mapping[str, float], times: Times) -> None:
    """Give every step of the gateway a check that takes its time."""

    def replaced(stages: tuple[Stage, ...]) -> tuple[tuple[BoundStep, ...], ...]:
        return tuple(
            tuple(bound(step, seconds.get(step.name, 0.0), times) for step in stage.steps)
            for stage in stages
        )

    found = app.endpoints.plan
    app.endpoints = attrs.evolve(
        app.endpoints, input=replaced(found.input), output=replaced(found.output)
    )


def shown_order(whole: Plan, title: str) -> list[list[str]]:
    """The stages of a phase as the text shows them: those that share a number are one."""
    (part,) = re.findall(rf"^{title}\n((?:  .*\n)*)", explain_text(whole), re.MULTILINE)
    stages: dict[str, list[str]] = {}
    for line in part.splitlines():
        place, _, name = re.split(r"\s+", line.strip())[:3]
        stages.setdefault(place.partition(".")[0], []).append(name)
    return list(stages.values())


def document_order(whole: Plan, part: str) -> list[list[str]]:
    """The same as the document has it."""
    data = json.loads(json.dumps(to_data(whole)))
    return [[step["name"] for step in stage["steps"]] for stage in data[part]]


def test_stages_run_in_the_order_that_is_shown() -> None:
    steps = {
        name: waiting(name, phase, at)
        for at, (name, phase) in enumerate(
            [(one, Phase.INPUT) for one in "abcd"] + [(one, Phase.OUTPUT) for one in "efg"]
        )
    }
    whole = attrs.evolve(
        plan(policy=60.0),
        input=tuple(Stage(steps=tuple(steps[one] for one in names)) for names in ("b", "dc", "a")),
        output=tuple(Stage(steps=tuple(steps[one] for one in names)) for names in ("fe", "g")),
    )
    times: Times = {}

    async def main() -> None:
        async with gateway(whole, FakeProvider(lambda _: json_answer(completion("x")))) as app:
            with_checks(app, dict.fromkeys(steps, SECONDS), times)
            assert (await chat(app, "hello")).status == 200

    run_in_virtual_time(main)
    order = [*shown_order(whole, "input"), *shown_order(whole, "output")]
    assert order == [["b"], ["d", "c"], ["a"], ["f", "e"], ["g"]]
    assert order == [*document_order(whole, "input"), *document_order(whole, "output")]
    for at, stage in enumerate(order):
        for name in stage:
            assert times[name] == pytest.approx((at * SECONDS, (at + 1) * SECONDS))


# ---- Deadlines

SLOW = waiting("slow", Phase.INPUT, 0, seconds=1.3)
"""With a limit of its own below the policy budget."""
BUDGET = (*(waiting(f"p{at}", Phase.INPUT, at) for at in range(3)),)

LIMITS = """\
pack: {name: a, version: 1.0.0, enabled: true}
providers:
  targets: [{id: a, base_url: 'http://a'}]
gateway:
  concurrency: {max_concurrent_requests: 1, queue_timeout: 7s}
  timeouts:
    connect: 2s
    first_byte: 3s
    streaming_idle: 4s
    request: {request}
    policy_eval: 2500ms
"""


def shown_limits(whole: Plan) -> dict[str, float]:
    """Every limit as the text shows it, in seconds."""
    (part,) = re.findall(r"^limits\n((?:  .*\n)*)", explain_text(whole), re.MULTILINE)
    rows = (line.split()[:2] for line in part.splitlines())
    return {
        name: parse_duration(text) for name, text in rows if re.fullmatch(r"\d+(ms|[smhd])", text)
    }


Trouble = Callable[[App, FakeProvider], Awaitable[float]]


def compiled(request: str = "60s") -> Plan:
    """The plan of a configuration with a limit for everything."""
    return compile_source(Source("kt.yaml", LIMITS.replace("{request}", request))).plan


async def refused_after(app: App, code: str) -> float:
    """The seconds until a request is refused with this code, or for its own limit."""
    started = trio.current_time()
    answer = await chat(app, "hello")
    assert orjson.loads(answer.body)["error"]["code"] in (code, "request_timeout")
    return trio.current_time() - started


async def queue(app: App, provider: FakeProvider) -> float:
    """Wait behind a request that takes its time."""
    provider.answer = lambda _: httpx.Response(200, stream=Body([b" "] * 20, pause=3.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(chat, app, "first")
        await trio.testing.wait_all_tasks_blocked()
        waited = await refused_after(app, "queue_timeout")
        nursery.cancel_scope.cancel()
    return waited


async def connect(app: App, provider: FakeProvider) -> float:
    """No connection comes about."""
    provider.connect_seconds = 1000.0
    return await refused_after(app, "connect_timeout")


async def first_byte(app: App, provider: FakeProvider) -> float:
    """No head comes, from the connection on."""
    provider.head_seconds = 1000.0
    return await refused_after(app, "first_byte_timeout")


async def inter_chunk(app: App, provider: FakeProvider) -> float:
    """Nothing comes after the head."""
    provider.answer = lambda _: httpx.Response(200, stream=Body([b" "], stalls=True))
    return await refused_after(app, "inter_chunk_timeout")


async def request(app: App, provider: FakeProvider) -> float:
    """An answer that never ends, with pauses that are short enough."""
    provider.answer = lambda _: httpx.Response(200, stream=Body([b" "] * 100, pause=3.9))
    return await refused_after(app, "request_timeout")


async def policy(app: App, provider: FakeProvider) -> float:
    """Three policies that all want the whole budget."""
    stages = tuple((bound(one, 1000.0, {}),) for one in BUDGET)
    app.endpoints = attrs.evolve(app.endpoints, input=stages)
    return await refused_after(app, "policy_unavailable")


DEADLINES: Mapping[str, Trouble] = MappingProxyType(
    {
        "queue": queue,
        "connect": connect,
        "first_byte": first_byte,
        "inter_chunk": inter_chunk,
        "request": request,
        "policy": policy,
    }
)


def measured(whole: Plan, trouble: Trouble) -> float:
    """The seconds that a trouble lasts."""
    took: list[float] = []

    async def main() -> None:
        provider = FakeProvider(lambda _: json_answer(completion("x")))
        async with gateway(whole, provider) as app:
            took.append(await trouble(app, provider))

    run_in_virtual_time(main)
    return took[0]


@pytest.mark.parametrize("name", DEADLINES)
def test_a_limit_ends_what_it_limits_when_it_says(name: str) -> None:
    assert measured(compiled(), DEADLINES[name]) == pytest.approx(shown_limits(compiled())[name])


@pytest.mark.parametrize("name", ["queue", "connect", "first_byte", "policy"])
def test_a_limit_that_is_cut_shows_and_acts_as_cut(name: str) -> None:
    whole = compiled("1500ms")
    assert shown_limits(whole)[name] == pytest.approx(1.5)
    assert measured(whole, DEADLINES[name]) == pytest.approx(1.5)


def test_every_limit_of_a_request_is_provoked() -> None:
    """What limits a connection or the process is not a request's: the server's tests have it."""
    outside = {"idle", "send", "drain"}
    assert shown_limits(compiled()).keys() - outside == DEADLINES.keys()


def test_a_step_ends_at_the_limit_that_stands_at_it() -> None:
    whole = plan(SLOW)
    (line,) = [one for one in explain_text(whole).splitlines() if " slow " in one]
    (shown,) = re.findall(r"within (\w+)", line)

    async def trouble(app: App, provider: FakeProvider) -> float:
        with_checks(app, {"slow": 1000.0}, {})
        return await refused_after(app, "policy_unavailable")

    assert measured(whole, trouble) == pytest.approx(parse_duration(shown))


def test_the_policy_budget_is_one_for_requests_and_answers() -> None:
    """What the request's policies used is gone when the answer's begin."""
    whole = plan(
        waiting("asks", Phase.INPUT, 0), waiting("says", Phase.OUTPUT, 1), targets=(target("a"),)
    )

    async def trouble(app: App, provider: FakeProvider) -> float:
        with_checks(app, {"asks": 1.5, "says": 1000.0}, {})
        return await refused_after(app, "policy_unavailable")

    assert measured(whole, trouble) == pytest.approx(shown_limits(whole)["policy"])
