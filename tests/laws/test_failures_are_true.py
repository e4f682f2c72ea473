"""Every row of the table of failures, provoked: the gateway does what EXPLAIN says.

One table maps a trouble to a way to make it; the rows come from the plan's own explanation, so a
row that nobody can provoke fails here.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs
import httpx
import orjson
import pytest
import trio

from kt.errors import REFUSALS
from kt.exchange import Dialect, Segment
from kt.explain.failures import Failure, failures
from kt.patterns.scanner import IsOver, OutOfTime
from kt.plan import (
    Access,
    ConsumerGroup,
    Limit,
    Networks,
    Plan,
    RateLimit,
    Scope,
    Streaming,
    Unit,
)
from kt.policy import Action, OnTrouble, Outcome, Phase, Verdict
from kt.runtime.access import digest_of
from kt.runtime.app import App
from kt.runtime.engine import BoundStep
from tests.support.asgi import Response, ask
from tests.support.gateways import chat, chat_body, gateway, run_in_virtual_time
from tests.support.plans import ASK, ask_step, plan, scan_step, target
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    json_answer,
    stream_answer,
    streamed,
)

PATH = "/v1/chat/completions"
SAID = "a harmless question"
ANSWERED = "a harmless answer"


@attrs.define
class Providers(httpx.AsyncBaseTransport):
    """A fake provider per target, and who was asked."""

    by_host: dict[str, FakeProvider]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request to its host's provider."""
        return await self.by_host[request.url.host].handle_async_request(request)

    def asked(self, host: str) -> int:
        """How often a provider got a whole request."""
        return len(self.by_host[host].asked)


def fine(_: httpx.Request) -> httpx.Response:
    """The answer of a provider in good health."""
    return json_answer(completion(ANSWERED))


def healthy() -> Providers:
    """Both providers in good health."""
    return Providers({"a": FakeProvider(fine), "b": FakeProvider(fine)})


Provoke = Callable[[App, Providers], Awaitable[Response]]

TARGETS = (target("a", "http://a"), target("b", "http://b"))


def whole_plan(on_trouble: OnTrouble) -> Plan:
    """A plan with a policy for each action in each phase, tight limits, and two targets."""
    actions = (Action.BLOCK, Action.ESCALATE, Action.REDACT)
    steps = [
        scan_step(
            f"{action.value}s",
            f"{action.value} me",
            action=action,
            phase=phase,
            order=at,
            on_trouble=on_trouble,
        )
        for phase in (Phase.INPUT, Phase.OUTPUT)
        for at, action in enumerate(actions)
    ]
    return plan(
        *steps,
        targets=TARGETS,
        hold=4,
        request_body=400,
        max_concurrent=1,
        max_queue=1,
        per_user=1,
        per_team=1,
        queue=1.0,
        connect=2.0,
        first_byte=3.0,
        inter_chunk=4.0,
        request=60.0,
    )


def guarded_plan(*, once: bool) -> Plan:
    """A plan that lets in one key, one network and one model; where asked for, one request."""
    limits = (RateLimit(scope=Scope.ALL, unit=Unit.REQUESTS, most=1, seconds=60),) if once else ()
    access = Access(
        groups=(ConsumerGroup(name="red", keys=(digest_of(KEY),), allowed_models=("m",)),),
        networks=Networks(cidrs=("10.0.0.0/8",), proxies=1),
        rate_limits=limits,
    )
    return plan(targets=TARGETS, access=access)


KEY = "kt_cg_red_1"
KNOWN = {"x-api-key": KEY, "x-forwarded-for": "10.0.0.1"}

# ---- Ways to make trouble


def sending(body: bytes, path: str = PATH, **headers: str) -> Provoke:
    """A request with a body of its own."""

    async def provoke(app: App, providers: Providers) -> Response:
        return await ask(app, "POST", path, list(headers.items()), body)

    return provoke


def behind(others: int, **headers: str) -> Provoke:
    """A request behind others that take their time, all with the same headers."""

    async def provoke(app: App, providers: Providers) -> Response:
        providers.by_host["a"].head_seconds = 2.5
        async with trio.open_nursery() as nursery:
            for _ in range(others):
                nursery.start_soon(chat, app, SAID, headers)
                await trio.testing.wait_all_tasks_blocked()
            return await chat(app, SAID, headers)

    return provoke


async def too_long(app: App, providers: Providers) -> Response:
    """A provider that keeps answering until the request's time is over."""
    slow = Body([b" "] * 100, pause=3.9)
    providers.by_host["a"].answer = lambda _: httpx.Response(200, stream=slow)
    return await chat(app, SAID)


async def draining(app: App, providers: Providers) -> Response:
    """A request while the gateway drains."""
    app.is_draining = True
    return await chat(app, SAID)


async def with_a_bug(app: App, providers: Providers) -> Response:
    """A mistake of ours where nothing expects one."""
    app.log = lambda line: None
    app.endpoints = attrs.evolve(app.endpoints, input=None)  # type: ignore[arg-type]
    return await chat(app, SAID)


async def without_a_target(app: App, providers: Providers) -> Response:
    """A path whose format no target speaks."""
    spoken = tuple(attrs.evolve(one, format=Dialect.ANTHROPIC) for one in TARGETS)
    changed = attrs.evolve(app.endpoints.plan, targets=spoken)
    app.endpoints = attrs.evolve(app.endpoints, plan=changed)
    return await chat(app, SAID)


ADMISSION: Mapping[tuple[str, str], Provoke] = MappingProxyType(
    {
        ("path", "no target speaks its format"): without_a_target,
        ("queue", "full"): behind(2),
        ("queue", "no slot in time"): behind(1),
        ("queue", "too many of one user"): behind(1, **{"x-user-id": "ann"}),
        ("queue", "too many of one team"): behind(1, **{"x-team": "red"}),
        ("body", "not JSON"): sending(b"{"),
        ("body", "ambiguous JSON"): sending(b'{"a": 1, "a": 2}'),
        ("body", "wrong shape"): sending(b"[]"),
        ("body", "too large"): sending(chat_body("x" * 500)),
        ("body", "encoded"): sending(chat_body(SAID), **{"content-encoding": "gzip"}),
        ("body", "token numbers"): sending(b'{"model":"m","input":[1,2]}', "/v1/embeddings"),
        ("request", "longer than its limit"): too_long,
        ("gateway", "drains"): draining,
        ("gateway", "a bug"): with_a_bug,
    }
)


async def twice(app: App, providers: Providers) -> Response:
    """A second request in a window for one."""
    assert (await chat(app, SAID, KNOWN)).status == 200
    return await chat(app, SAID, KNOWN)


ACCESS: Mapping[str, Provoke] = MappingProxyType(
    {
        "invalid_api_key": sending(chat_body(SAID), **{**KNOWN, "x-api-key": "kt_cg_red_2"}),
        "model_not_allowed": sending(chat_body(SAID, model="large"), **KNOWN),
        "address_not_allowed": sending(chat_body(SAID), **{**KNOWN, "x-forwarded-for": "9.9.9.9"}),
        "rate_limited": twice,
    }
)


async def finding(row: Failure, app: App, providers: Providers) -> Response:
    """What the policy looks for, in the request or in the answer."""
    phase, name = row.node.split()
    text = f"{name.removesuffix('s')} me"
    if phase == "input":
        return await chat(app, text)
    providers.by_host["a"].answer = lambda _: json_answer(completion(text))
    return await chat(app, SAID)


def late(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
    """A check whose time is over."""
    raise OutOfTime


def failed(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
    """A check with a bug."""
    raise RuntimeError("made to fail")


def unevaluable(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
    """A check that cannot say anything of this text."""
    return Verdict(outcome=Outcome.UNEVALUABLE)


CHECKS = MappingProxyType({"late": late, "failed": failed, "unevaluable": unevaluable})


async def troubled(row: Failure, app: App, providers: Providers) -> Response:
    """A policy that cannot answer."""
    phase, name = row.node.split()

    def changed(stages: tuple[tuple[BoundStep, ...], ...]) -> tuple[tuple[BoundStep, ...], ...]:
        return tuple(
            tuple(
                attrs.evolve(one, check=CHECKS[row.trouble], gate=None)
                if one.step.name == name
                else one
                for one in stage
            )
            for stage in stages
        )

    before = app.endpoints
    if phase == "input":
        app.endpoints = attrs.evolve(before, input=changed(before.input))
    else:
        app.endpoints = attrs.evolve(before, output=changed(before.output))
    return await chat(app, SAID)


async def held_too_long(row: Failure, app: App, providers: Providers) -> Response:
    """A stream that begins what the policy looks for and never gets there."""
    _, name = row.node.split()
    answer = streamed([name.removesuffix("s") + " m", "x"])
    providers.by_host["a"].answer = lambda _: stream_answer(Body([answer]))
    return await chat(app, SAID, stream=True)


def answering(make: Callable[[], httpx.Response]) -> Callable[[FakeProvider], None]:
    """A provider that answers so."""

    def change(provider: FakeProvider) -> None:
        provider.answer = lambda _: make()

    return change


def with_body(body: Callable[[], Body]) -> Callable[[FakeProvider], None]:
    """A provider with a good head and this body."""
    return answering(lambda: httpx.Response(200, stream=body()))


UPSTREAM: Mapping[str, Callable[[FakeProvider], None]] = MappingProxyType(
    {
        "cannot be reached": lambda provider: setattr(provider, "refuses", True),
        "no connection in time": lambda provider: setattr(provider, "connect_seconds", 2.1),
        "no answer in time": lambda provider: setattr(provider, "head_seconds", 3.1),
        "5xx": answering(lambda: json_answer({}, 503)),
        "401 or 403": answering(lambda: json_answer({"key": "sk-secret"}, 401)),
        "an unusable answer": with_body(lambda: Body([b"{"])),
        "stalls": with_body(lambda: Body([b"{"], stalls=True)),
        "is cut off": with_body(lambda: Body([b"{"], is_cut=True)),
        "another 4xx": answering(lambda: json_answer({"error": "mine"}, 422)),
    }
)


async def failing(row: Failure, app: App, providers: Providers) -> Response:
    """A provider in trouble; to get to the second, the first is not there."""
    name = row.node.removeprefix("upstream ")
    if name == "b":
        providers.by_host["a"].refuses = True
    UPSTREAM[row.trouble](providers.by_host[name])
    return await chat(app, SAID)


async def provoked(row: Failure, app: App, providers: Providers) -> Response:
    """Make the trouble of a row."""
    if (row.node, row.trouble) in ADMISSION:
        return await ADMISSION[row.node, row.trouble](app, providers)
    if row.node.startswith("upstream "):
        return await failing(row, app, providers)
    if row.trouble in CHECKS:
        return await troubled(row, app, providers)
    if row.trouble == "a hold reaches its cap":
        return await held_too_long(row, app, providers)
    assert row.trouble in ("block", "escalate"), "nobody knows how to provoke this"
    return await finding(row, app, providers)


# ---- The law


def check_row(row: Failure, answer: Response, providers: Providers) -> None:
    """Status, code and what the client may do next are those of the row."""
    retry = {"true": True, "false": False, None: None}[answer.headers.get("x-should-retry")]
    if row.code is None:
        check_going_on(row, answer, providers)
        return
    error = orjson.loads(answer.body)["error"]
    assert (answer.status, error["code"], retry) == (row.status, row.code, row.should_retry)
    assert ("retry-after" in answer.headers) is row.retry_after
    assert ("retry-after-ms" in answer.headers) is row.retry_after
    assert row.gate == "closed"
    assert ANSWERED.encode() not in answer.body
    assert b"sk-secret" not in answer.body
    if row.node.startswith("input "):
        assert providers.asked("a") == providers.asked("b") == 0
    if not row.node.startswith("upstream "):
        assert providers.asked("b") == 0


def check_going_on(row: Failure, answer: Response, providers: Providers) -> None:
    """What goes on: to the next target, past an open gate, or back as it came."""
    if row.then == "is passed on as it is":
        assert (answer.status, orjson.loads(answer.body)) == (422, {"error": "mine"})
        return
    assert answer.status == 200
    assert ANSWERED.encode() in answer.body
    assert providers.asked("b") == (row.then == "the next target is asked")
    assert row.gate == ("open" if row.node.split()[0] in ("input", "output") else "closed")


ROWS = [
    (mode, row)
    for mode in OnTrouble
    for row in failures(whole_plan(mode))
    if mode is OnTrouble.BLOCK or row.gate == "open"
]


@pytest.mark.parametrize(
    ("mode", "row"), ROWS, ids=[f"{row.node}-{row.trouble}-{row.gate}" for _, row in ROWS]
)
def test_what_a_row_says_happens(mode: OnTrouble, row: Failure) -> None:
    async def main() -> None:
        providers = healthy()
        async with gateway(whole_plan(mode), providers) as app:
            check_row(row, await provoked(row, app, providers), providers)

    run_in_virtual_time(main)


def access_rows() -> tuple[Failure, ...]:
    """What a guarded plan has, and others have not."""
    return tuple(row for row in failures(guarded_plan(once=True)) if row.node == "access")


@pytest.mark.parametrize("row", access_rows(), ids=lambda row: row.code)
def test_what_a_row_of_the_entrance_says_happens(row: Failure) -> None:
    async def main() -> None:
        providers = healthy()
        once = row.code == "rate_limited"
        async with gateway(guarded_plan(once=once), providers) as app:
            check_row(row, await ACCESS[row.code or ""](app, providers), providers)
            assert providers.asked("a") == int(once)

    run_in_virtual_time(main)


def test_the_rows_cover_every_code_that_a_judged_request_can_meet() -> None:
    pages = {"admin_token", "unknown_path", "method_not_allowed", "reload_failed"}
    # Only of plans with groups and breakers: tests/laws/test_routing.py and its kin.
    pages |= {"circuit_open", "unknown_model"}
    # Only of plans with a service, whose faults tests/runtime/test_asking.py plays.
    asks = failures(plan(ask_step("service", ASK, phase=Phase.OUTPUT)))
    # Only of plans that end streams, which tests/runtime/test_relay.py outlasts.
    ending = Streaming(duration=Limit(9.0, origin="test"))
    lasting = failures(attrs.evolve(plan(), streaming=ending))
    rows = (*(row for _, row in ROWS), *access_rows(), *asks, *lasting)
    told = {row.code for row in rows if row.code}
    assert told == REFUSALS.keys() - pages


@pytest.mark.parametrize(
    "change",
    [
        {"status": 500},
        {"code": "output_blocked"},
        {"should_retry": None},
        {"retry_after": True},
        {"gate": "open"},
    ],
    ids=str,
)
def test_the_law_finds_a_row_that_is_wrong(change: dict[str, Any]) -> None:
    """Planted: one field of the row for a block."""
    (row,) = (row for _, row in ROWS if (row.node, row.trouble) == ("input blocks", "block"))

    async def main() -> None:
        providers = healthy()
        async with gateway(whole_plan(OnTrouble.BLOCK), providers) as app:
            answer = await provoked(row, app, providers)
            with pytest.raises(AssertionError):
                check_row(attrs.evolve(row, **change), answer, providers)

    run_in_virtual_time(main)
