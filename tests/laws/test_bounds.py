"""No schedule of delays takes longer than the bound says, and one takes exactly as long."""

import itertools
from collections.abc import AsyncIterator, Awaitable

import attrs
import httpx
import orjson
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from kt.exchange import Segment, Surface
from kt.explain.bounds import bounds, phase_bound, stage_bound, unreachable
from kt.patterns.scanner import IsOver
from kt.plan import Plan, Stage, Step
from kt.policy import ALLOW, Cost, Phase, Verdict
from kt.runtime.app import App
from kt.runtime.engine import BoundStep, PolicyBudget, judge
from tests.support.asgi import Response
from tests.support.gateways import chat, gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step, target
from tests.support.upstreams import Body, FakeProvider, chunk, completion, stream_answer

Delays = dict[str, float]


def waiting(name: str, seconds: float, order: int) -> Step:
    """A step that waits for the network."""
    step = scan_step(name, "a", phase=Phase.INPUT, seconds=seconds, order=order)
    return attrs.evolve(step, facts=attrs.evolve(step.facts, cost=Cost.NETWORK))


@st.composite
def stages(draw: st.DrawFn) -> tuple[Stage, ...]:
    """A few stages of steps that wait, with limits of their own."""
    limits = st.sampled_from([0.1, 0.5, 0.7, 2.0])
    sizes = draw(st.lists(st.integers(1, 3), max_size=3))
    names = iter(range(100))
    return tuple(
        Stage(
            steps=tuple(waiting(f"p{at}", draw(limits), at) for at in itertools.islice(names, size))
        )
        for size in sizes
    )


def elapsed(found: tuple[Stage, ...], whole: Plan, delays: Delays) -> float:
    """How long a phase takes in which each step wants that long."""

    def bound(step: Step) -> BoundStep:
        async def later() -> Verdict:
            await trio.sleep(delays[step.name])
            return ALLOW

        def check(segments: tuple[Segment, ...], is_over: IsOver) -> Awaitable[Verdict]:
            return later()

        return BoundStep(step, check)

    async def main() -> float:
        started = trio.current_time()
        budget = PolicyBudget(whole.timeouts.policy.seconds, trio.CapacityLimiter(1))
        run = tuple(tuple(bound(step) for step in stage.steps) for stage in found)
        await judge(run, (Segment(Surface.USER, "b", ()),), budget)
        return trio.current_time() - started

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def check_law(found: tuple[Stage, ...], delays: Delays, bound: float) -> None:
    """Some schedule is within the bound, and the one that never answers reaches it."""
    assert elapsed(found, plan(), delays) <= bound + 1e-6
    forever = dict.fromkeys(delays, 1e6)
    assert elapsed(found, plan(), forever) == pytest.approx(bound)


@given(stages(), st.data())
def test_no_delays_of_policies_exceed_the_bound(
    found: tuple[Stage, ...], data: st.DataObject
) -> None:
    names = [step.name for stage in found for step in stage.steps]
    times = st.sampled_from([0.0, 0.05, 0.3, 0.6, 1.9, 99.0])
    check_law(found, {name: data.draw(times) for name in names}, phase_bound(found, plan()))


def test_the_law_finds_a_bound_that_is_too_short_or_too_long() -> None:
    """Planted: members counted as if one waited for the other, or the slowest left out."""
    (stage,) = found = (Stage(steps=(waiting("a", 0.5, 0), waiting("b", 0.7, 1))),)
    for wrong in (0.5, 0.5 + 0.7):
        with pytest.raises(AssertionError):
            check_law(found, {"a": 9.0, "b": 9.0}, wrong)
    check_law(found, {"a": 9.0, "b": 9.0}, stage_bound(stage))


# ---- A whole request


@attrs.define
class Schedule:
    """How long everything that somebody else decides takes."""

    ahead: float = 0.0
    """For how long another request keeps the only slot."""
    asks: float = 0.0
    says: float = 0.0
    """The policies of the request and of the answer."""
    connects: tuple[float, float] = (0.0, 0.0)
    """Each target; the first one then refuses the connection."""
    head: float = 0.0
    pauses: tuple[float, ...] = ()
    """Before each piece of the answer."""


@attrs.define
class Seen:
    """When what happened, in seconds from the request on."""

    verdict: float | None = None
    """The first target is turned to."""
    head: float | None = None
    """The provider's head is here."""
    pieces: list[float] = attrs.field(factory=list)
    """Messages of the answer with text in them."""
    end: float = 0.0
    code: str | None = None


@attrs.define
class Scheduled(httpx.AsyncBaseTransport):
    """Two providers that keep to a schedule: the first is never there, the second answers."""

    schedule: Schedule
    is_streamed: bool
    started: float = 0.0
    seen: Seen = attrs.field(factory=Seen)

    def _now(self) -> float:
        return trio.current_time() - self.started

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Connect, fail or answer."""
        is_first = request.url.host == "a"
        if is_first:
            self.seen.verdict = self._now()
        provider = FakeProvider(
            lambda _: self._answer(),
            connect_seconds=self.schedule.connects[0 if is_first else 1],
            head_seconds=self.schedule.head,
            refuses=is_first,
        )
        response = await provider.handle_async_request(request)
        self.seen.head = self._now()
        return response

    def _answer(self) -> httpx.Response:
        pauses = self.schedule.pauses
        if not self.is_streamed:
            data = orjson.dumps(completion("fine"))
            return httpx.Response(200, stream=Paused([b" "] * len(pauses) + [data], pauses=pauses))
        pieces = [chunk({"content": "fine"}) for _ in pauses]
        last = [chunk({}, finish="stop") + b"data: [DONE]\n\n"]
        return stream_answer(Paused([*pieces, *last], pauses=pauses))


@attrs.define
class Paused(Body):
    """A body with a pause of its own before each piece."""

    pauses: tuple[float, ...] = ()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Send the pieces."""
        for piece, pause in itertools.zip_longest(self.pieces, self.pauses, fillvalue=0.0):
            assert isinstance(piece, bytes)
            await trio.sleep(float(pause))
            yield piece


TARGETS = (target("a", "http://a"), target("b", "http://b"))


def whole_plan(request: float = 40.0) -> Plan:
    """One policy that waits in each phase, one slot, two targets."""
    return plan(
        waiting("asks", 1.5, 0),
        attrs.evolve(waiting("says", 2.0, 1), phase=Phase.OUTPUT),
        targets=TARGETS,
        max_concurrent=1,
        queue=3.0,
        connect=5.0,
        first_byte=7.0,
        inter_chunk=4.0,
        request=request,
    )


def seen(whole: Plan, schedule: Schedule, *, is_streamed: bool = False) -> Seen:
    """What one request behind another one sees."""
    transport = Scheduled(schedule, is_streamed)

    def slow(stages: tuple[tuple[BoundStep, ...], ...], wait: float) -> Stages:
        async def later() -> Verdict:
            await trio.sleep(wait)
            return ALLOW

        return tuple(
            tuple(attrs.evolve(one, check=lambda *_: later(), gate=None) for one in stage)
            for stage in stages
        )

    async def main() -> None:
        async with gateway(whole, transport) as app, trio.open_nursery() as nursery:
            app.endpoints = attrs.evolve(
                app.endpoints,
                input=slow(app.endpoints.input, schedule.asks),
                output=slow(app.endpoints.output, schedule.says),
            )
            if schedule.ahead:
                await nursery.start(keep_slot, app, schedule.ahead)
            transport.started = trio.current_time()
            answer = await chat(app, "hello", stream=is_streamed)
            note(answer, transport)

    run_in_virtual_time(main)
    return transport.seen


Stages = tuple[tuple[BoundStep, ...], ...]


async def keep_slot(
    app: App, seconds: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Be a request that holds a slot for so long."""
    async with app.endpoints.gate.slot():
        task_status.started()
        await trio.sleep(seconds)


def note(answer: Response, transport: Scheduled) -> None:
    """Write down when the client got what."""
    times = [(one.time - transport.started, one.body) for one in answer.messages]
    transport.seen.pieces = [time for time, body in times if b"fine" in body]
    transport.seen.end = times[-1][0]
    if b'"error"' in times[-1][1] or b'"error"' in answer.body:
        data = answer.body.split(b"data: ")[-1]
        transport.seen.code = orjson.loads(data)["error"]["code"]


def check_bounds(whole: Plan, found: Seen, *, is_streamed: bool) -> None:
    """Nothing took longer than the explanation says."""
    most = {one.name: one.seconds for one in bounds(whole)}
    small = 1e-6

    def within(seconds: float | None, name: str) -> None:
        bound = most[name]
        assert seconds is None or bound is None or seconds <= bound + small, name

    within(found.verdict, "verdict")
    within(found.head, "provider's head")
    if found.verdict is None:
        within(found.end, "verdict")
    elif found.head is None:
        within(found.end, "provider's head")
    if found.pieces:
        within(found.pieces[0], "first byte")
    else:
        within(found.end, "first byte")
    within(found.end, "total, streamed" if is_streamed else "total, whole")
    for before, after in itertools.pairwise(found.pieces):
        within(after - before, "inter-chunk")


TIMES = st.sampled_from([0.0, 0.4, 1.4, 1.9, 2.9, 3.9, 4.9, 6.9, 8.0, 100.0])
SCHEDULES = st.builds(
    Schedule,
    ahead=TIMES,
    asks=TIMES,
    says=TIMES,
    connects=st.tuples(TIMES, TIMES),
    head=TIMES,
    pauses=st.lists(TIMES, max_size=6).map(tuple),
)


@given(SCHEDULES, st.booleans(), st.sampled_from([10.0, 24.0, 40.0, 300.0]))
def test_no_schedule_exceeds_a_bound(
    schedule: Schedule, is_streamed: bool, request_seconds: float
) -> None:
    whole = whole_plan(request=request_seconds)
    check_bounds(whole, seen(whole, schedule, is_streamed=is_streamed), is_streamed=is_streamed)


def of(whole: Plan, name: str) -> float:
    """One bound."""
    (seconds,) = (one.seconds for one in bounds(whole) if one.name == name)
    assert seconds is not None
    return seconds


BARELY = 1e-4
"""So much earlier than its limit is still in time."""
NEARLY = Schedule(
    ahead=3.0 - BARELY,
    asks=1.5 - BARELY,
    connects=(5.0 - BARELY, 5.0 - BARELY),
    head=7.0 - BARELY,
    pauses=(4.0 - BARELY,) * 6,
)
"""Everything just below its limit: queue 3, policy 1.5, connect 5 twice, first byte 7, gaps 4."""


def test_a_schedule_reaches_the_bounds_of_the_verdict_and_the_head() -> None:
    whole = whole_plan()
    found = seen(whole, NEARLY)
    assert of(whole, "verdict") == 3.0 + 1.5
    assert found.verdict == pytest.approx(of(whole, "verdict"), abs=0.01)
    assert of(whole, "provider's head") == 3.0 + 1.5 + 2 * 5.0 + 7.0
    assert found.head == pytest.approx(of(whole, "provider's head"), abs=0.01)
    assert found.code == "request_timeout"
    assert found.end == pytest.approx(of(whole, "total, whole"))


def test_a_schedule_reaches_the_bounds_by_timeouts_too() -> None:
    whole = whole_plan()
    late = attrs.evolve(NEARLY, connects=(99.0, 5.0 - BARELY), head=99.0)
    found = seen(whole, late)
    assert (found.code, found.head) == ("first_byte_timeout", None)
    assert found.end == pytest.approx(of(whole, "provider's head"), abs=0.01)


def test_a_request_that_is_too_short_bounds_everything() -> None:
    whole = whole_plan(request=10.0)
    assert of(whole, "provider's head") == of(whole, "first byte") == 10.0
    found = seen(whole, NEARLY)
    assert (found.code, found.head) == ("request_timeout", None)
    assert found.end == pytest.approx(10.0)


def test_a_schedule_reaches_the_bound_of_the_first_byte() -> None:
    """A provider that sends events without text for as long as it may."""
    whole = whole_plan(request=24.0)
    pauses = (3.9,) * 100

    def silent(_: httpx.Request) -> httpx.Response:
        return stream_answer(Paused([chunk({"role": "assistant"})] * 100, pauses=pauses))

    took: list[float] = []

    async def main() -> None:
        async with gateway(whole, FakeProvider(silent)) as app:
            started = trio.current_time()
            answer = await chat(app, "hello", stream=True)
            assert answer.status == 504
            took.append(trio.current_time() - started)

    run_in_virtual_time(main)
    assert took == [pytest.approx(of(whole, "first byte"))]


def test_a_stream_reaches_the_bound_of_its_gaps_and_has_no_total() -> None:
    whole = whole_plan(request=24.0)
    schedule = Schedule(pauses=(4.0 - BARELY,) * 30)
    found = seen(whole, schedule, is_streamed=True)
    gaps = [after - before for before, after in itertools.pairwise(found.pieces)]
    assert max(gaps) == pytest.approx(of(whole, "inter-chunk"), abs=0.01)
    assert found.code is None
    assert found.end > 30 * 3.9 > 24.0
    assert {one.name: one.seconds for one in bounds(whole)}["total, streamed"] is None


def test_a_stall_ends_a_stream_at_the_bound_of_its_gaps() -> None:
    whole = whole_plan()
    found = seen(whole, Schedule(pauses=(0.0, 99.0)), is_streamed=True)
    assert found.code == "inter_chunk_timeout"
    assert found.end - found.pieces[-1] == pytest.approx(of(whole, "inter-chunk"))


def test_what_is_said_never_to_start_does_not() -> None:
    """The warning of the second target, and the schedule that makes it true."""
    whole = whole_plan(request=9.0)
    (warning,) = unreachable(whole)
    assert warning.startswith("target 2 (b) can never start inside request 9s")
    schedule = attrs.evolve(NEARLY, connects=(99.0, 0.0))
    found = seen(whole, schedule)
    assert (found.code, found.head) == ("request_timeout", None)
    assert not list(unreachable(whole_plan(request=40.0)))


@pytest.mark.parametrize("name", ["verdict", "provider's head", "first byte", "total, whole"])
def test_the_law_finds_a_bound_of_a_request_that_is_too_short(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: one bound is a tenth shorter."""
    whole = whole_plan()
    wrong = tuple(
        attrs.evolve(one, seconds=(one.seconds or 0.0) * 0.9) if one.name == name else one
        for one in bounds(whole)
    )
    monkeypatch.setattr("tests.laws.test_bounds.bounds", lambda plan: wrong)
    with pytest.raises(AssertionError, match=name):
        check_bounds(whole, seen(whole, NEARLY), is_streamed=False)
