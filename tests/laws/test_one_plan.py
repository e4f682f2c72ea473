"""The law of reloads: every request is answered wholly by one plan, and no reload lends slots.

Requests and reloads, good ones and bad ones, come in any order and overlap. What redacted the
request, what redacted the answer, the header and the event must name the same plan; it is one that
ran while the request began; never more run at once than the plans allow; and at the end one plan is
left, which is the last good one.
"""

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import httpx
import orjson
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from kt.errors import UsageError
from kt.plan import Plan
from kt.policy import Phase
from kt.runtime import gateway
from kt.runtime import generations as under_test
from kt.runtime.app import Scope
from kt.runtime.connecting import Network
from kt.runtime.gateway import Candidate, GatewayOptions, Succession
from kt.runtime.generations import Generations, generations
from kt.runtime.inbox import Receive, Send
from kt.runtime.reload import ReloadReport
from tests.support.asgi import Response
from tests.support.gateways import chat, run_in_virtual_time, streamed_text
from tests.support.plans import plan, record_step, scan_step
from tests.support.upstreams import (
    Body,
    FakeProvider,
    completion,
    cut,
    json_answer,
    stream_answer,
    streamed,
)

SLOTS = 2
PLANS = tuple(
    plan(
        scan_step(f"in{number}", "question", phase=Phase.INPUT),
        scan_step(f"out{number}", "reply"),
        record_step(),
        max_concurrent=SLOTS,
    )
    for number in range(4)
)
NUMBER_OF = {one.digest: number for number, one in enumerate(PLANS)}
BAD = -1


@attrs.frozen
class Step:
    """A request, or a reload that takes this long and comes to this plan, and the pause before."""

    pause: float
    is_reload: bool
    number: int = 0
    seconds: float = 0.0
    is_stream: bool = False


PAUSES = st.sampled_from([0.0, 0.0, 0.1, 0.5])
STEPS = st.lists(
    st.one_of(
        st.builds(Step, PAUSES, st.just(False), is_stream=st.booleans()),
        st.builds(
            Step,
            PAUSES,
            st.just(True),
            number=st.sampled_from([*range(len(PLANS)), BAD]),
            seconds=PAUSES,
        ),
    ),
    max_size=12,
)


@attrs.define
class Provider:
    """Says what it was asked and then its reply, slowly; counts how many ask at once."""

    now: int = 0
    most: int = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        asked = orjson.loads(request.content)
        said = asked["messages"][0]["content"]
        self.now += 1
        self.most = max(self.most, self.now)
        if asked.get("stream"):
            return stream_answer(
                Counted(cut(streamed([said, " re", "ply"]), [200, 400]), 0.2, self)
            )
        answer = json_answer(completion(f"{said} reply"))
        whole = b"".join(answer.stream.pieces)  # type: ignore[union-attr]
        return httpx.Response(200, headers=answer.headers, stream=Counted([whole], 0.3, self))


class Counted(Body):
    """A body that is over when it is closed."""

    def __init__(self, pieces: list[bytes], pause: float, provider: Provider) -> None:
        super().__init__(pieces, pause)
        self.provider = provider

    async def aclose(self) -> None:
        """Count one less, once."""
        if not self.is_closed:
            self.provider.now -= 1
        await super().aclose()


@attrs.define
class World:
    """A gateway whose configuration is a number."""

    directory: Path
    provider: Provider = attrs.field(factory=Provider)
    configured: int = 0
    seconds: float = 0.0
    answers: list[tuple[set[int], bool, Response]] = attrs.field(factory=list)
    """Per request: the plan that was the newest when it came, and whether it is streamed."""

    @property
    def options(self) -> GatewayOptions:
        """The surroundings."""
        return GatewayOptions(
            host="127.0.0.1",
            port=0,
            log=lambda _: None,
            audit_path=self.directory / "audit.jsonl",
            gateway_id="law",
            network=Network(transport=FakeProvider(self.provider.answer)),
        )

    def prepare(self, running: Plan) -> Candidate:
        """Read the configuration."""
        if self.configured == BAD:
            raise UsageError("this one is bad", "try another")
        return Candidate(plan=PLANS[self.configured], options=self.options)

    async def aside(self, run: Callable[..., Any], *arguments: Any) -> Any:
        """A thread, in virtual time."""
        await trio.sleep(self.seconds)
        return run(*arguments)

    async def ask(self, served: Generations, step: Step) -> None:
        """Send one request."""
        newest: set[int] = set()

        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            newest.add(NUMBER_OF[served.newest.plan.digest])
            await served(scope, receive, send)

        more = {"stream": True} if step.is_stream else {}
        answer = await chat(noting, "question", None, **more)  # type: ignore[arg-type]
        self.answers.append((newest, step.is_stream, answer))

    async def reload(self, succession: Succession, step: Step) -> None:
        """Write a configuration and have it read."""
        self.configured, self.seconds = step.number, step.seconds
        report = await succession.reload()
        self.check(report)

    def check(self, report: ReloadReport) -> None:
        """A report tells what happened."""
        is_good = report.result == "activated"
        assert is_good == (report.failure is None)
        assert is_good or report.before == report.after
        assert report.status == (200 if is_good else 422)


async def run_all(world: World, steps: list[Step]) -> None:
    """Do what the steps say, each in a task of its own."""
    async with generations() as served, trio.open_nursery() as nursery:
        first = Candidate(plan=PLANS[0], options=world.options)
        succession = Succession(nursery, served, first, world.prepare, world.aside)
        await succession.begin()
        async with trio.open_nursery() as doing:
            for step in steps:
                await trio.sleep(step.pause)
                if step.is_reload:
                    doing.start_soon(world.reload, succession, step)
                else:
                    doing.start_soon(world.ask, served, step)
        before = served.newest.plan.digest
        world.configured = BAD
        world.check(await succession.reload())
        assert served.newest.plan.digest == before
        await until_one_is_left(served)
        assert served.newest.endpoints.gate.running == 0
        page = served.newest.metrics.page().decode()
        infos = [line for line in page.splitlines() if line.startswith("keeptrusts_plan_info{")]
        assert len(infos) == 1
        assert before in infos[0]
        nursery.cancel_scope.cancel()


async def until_one_is_left(served: Generations) -> None:
    """Older apps end by themselves; their audit logs are written in threads, beyond our clock."""
    for _ in range(200_000):
        if served.alive == 1:
            return
        await trio.lowlevel.checkpoint()
    raise AssertionError(f"{served.alive} apps are left")


def text_of(answer: Response, *, is_stream: bool) -> str:
    """What the client reads."""
    if is_stream:
        return streamed_text(answer.body)
    return str(orjson.loads(answer.body)["choices"][0]["message"]["content"])


def hold(steps: list[Step]) -> None:
    """The law for one history."""
    with TemporaryDirectory() as directory:
        world = World(Path(directory))
        run_in_virtual_time(partial(run_all, world, steps))
        log = (Path(directory) / "audit.jsonl").read_text().splitlines()
    events = {event["request_id"]: event for event in map(json.loads, log)}
    asked = sum(not step.is_reload for step in steps)
    assert len(events) == len(world.answers) == asked
    assert world.provider.most <= SLOTS
    for expected, is_stream, answer in world.answers:
        assert answer.status == 200
        number = NUMBER_OF[answer.headers["x-keeptrusts-plan"]]
        assert {number} == expected
        assert text_of(answer, is_stream=is_stream) == f"[IN{number}] [OUT{number}]"
        event = events[answer.headers["x-request-id"]]
        assert event["plan"] == PLANS[number].digest
        assert {one["name"] for one in event["policies"]} == {f"in{number}", f"out{number}"}


@given(steps=STEPS)
def test_each_request_is_answered_by_one_plan(steps: list[Step]) -> None:
    hold(steps)


HISTORY = [
    Step(0.0, False, is_stream=True),
    Step(0.1, True, number=1, seconds=0.1),
    Step(0.0, False),
    Step(0.5, False, is_stream=True),
    Step(0.1, True, number=2),
    Step(0.0, True, number=BAD),
    Step(0.1, False),
]


def test_a_history_with_everything_in_it() -> None:
    hold(HISTORY)


def test_an_app_that_is_closed_under_its_requests_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test."""

    def end_at_once(self: Any) -> None:
        self.over.set()

    monkeypatch.setattr(under_test._Generation, "retire", end_at_once)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        hold(HISTORY)


def test_slots_that_are_not_shared_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test."""
    real = gateway.built

    @asynccontextmanager
    async def forgetful(plan: Plan, options: GatewayOptions, _: object, **more: Any) -> Any:
        async with real(plan, options, **more) as app:
            yield app

    monkeypatch.setattr(gateway, "built", forgetful)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        hold([Step(0.0, False), Step(0.0, False), Step(0.1, True, number=1), Step(0.1, False)])
