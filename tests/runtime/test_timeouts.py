"""Each deadline of the design, in virtual time: when it strikes and what the client is told."""

import attrs
import orjson
import pytest
import trio
from trio.testing import MockClock

from kt.exchange import Segment
from kt.patterns.scanner import IsOver
from kt.plan import Plan
from kt.policy import ALLOW, OnTrouble, Phase, Verdict
from kt.runtime.app import App
from kt.runtime.engine import BoundStep
from tests.support.asgi import Response, asgi_request
from tests.support.gateways import (
    chat,
    chat_body,
    error_of,
    gateway,
    run_in_virtual_time,
    streamed_text,
)
from tests.support.plans import plan, scan_step
from tests.support.upstreams import (
    Body,
    FakeProvider,
    chunk,
    completion,
    json_answer,
    stream_answer,
    streamed,
)


def ask_once(
    the_plan: Plan, provider: FakeProvider, *, stream: bool = False
) -> tuple[Response, float, list[Body]]:
    """Send one chat request; the answer, how long it took and the provider's bodies."""
    answers: list[tuple[Response, float]] = []

    async def main() -> None:
        async with gateway(the_plan, provider) as app:
            started = trio.current_time()
            answer = await chat(app, "hello", stream=stream)
            answers.append((answer, trio.current_time() - started))

    run_in_virtual_time(main)
    return (*answers[0], provider.bodies)


def code_of(answer: Response) -> str:
    """The code of an error answer."""
    return str(orjson.loads(answer.body)["error"]["code"])


def test_connecting_ends_after_the_connect_timeout() -> None:
    provider = FakeProvider(lambda _: json_answer(completion("hi")), connect_seconds=100)
    answer, took, _ = ask_once(plan(connect=3.0), provider)
    assert (answer.status, code_of(answer)) == (504, "connect_timeout")
    assert took == pytest.approx(3.0)


def test_a_slow_head_ends_after_the_first_byte_timeout_counted_from_the_connection() -> None:
    provider = FakeProvider(
        lambda _: json_answer(completion("hi")), connect_seconds=2, head_seconds=100
    )
    answer, took, _ = ask_once(plan(first_byte=7.0), provider)
    assert (answer.status, code_of(answer)) == (504, "first_byte_timeout")
    assert took == pytest.approx(9.0)


def test_a_body_that_never_comes_ends_after_the_request_timeout() -> None:
    provider = FakeProvider(lambda _: json_answer(completion("hi")), head_seconds=100)
    answer, took, _ = ask_once(plan(first_byte=90.0, request=40.0), provider)
    assert (answer.status, code_of(answer)) == (504, "request_timeout")
    assert took == pytest.approx(40.0)


def test_the_request_timeout_includes_the_queue() -> None:
    async def main() -> None:
        slow = FakeProvider(lambda _: json_answer(completion("hi")), head_seconds=25)
        async with gateway(plan(max_concurrent=1, request=30.0), slow) as app:
            answers: list[Response] = []
            async with trio.open_nursery() as nursery:
                for _ in range(2):
                    nursery.start_soon(_collect, app, answers)
            assert sorted(answer.status for answer in answers) == [200, 504]
            assert trio.current_time() == pytest.approx(started + 30.0)

    started = 0.0

    async def timed() -> None:
        nonlocal started
        started = trio.current_time()
        await main()

    run_in_virtual_time(timed)


async def _collect(app: App, answers: list[Response]) -> None:
    answers.append(await chat(app, "hello"))


def test_a_stream_that_stalls_ends_with_one_error_frame_after_the_inter_chunk_timeout() -> None:
    body = Body([chunk({"content": "so far "}), chunk({"content": "so good"})], 1.0, stalls=True)
    answer, took, bodies = ask_once(
        plan(inter_chunk=5.0), FakeProvider(lambda _: stream_answer(body)), stream=True
    )
    assert answer.status == 200
    assert streamed_text(answer.body) == "so far so good"
    assert error_of(answer.body)["code"] == "inter_chunk_timeout"
    assert b"[DONE]" not in answer.body
    assert answer.is_complete
    assert took == pytest.approx(7.0)
    assert bodies[0].is_closed


def test_after_the_first_released_byte_the_request_timeout_no_longer_counts() -> None:
    body = Body(
        [
            streamed([piece]) if last else chunk({"content": piece})
            for piece, last in [("a", False), ("b", False), ("c", False), ("d", True)]
        ],
        20.0,
    )
    answer, took, _ = ask_once(
        plan(request=30.0), FakeProvider(lambda _: stream_answer(body)), stream=True
    )
    assert took == pytest.approx(80.0)
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_until_a_byte_is_released_the_request_timeout_counts_for_a_stream() -> None:
    held = [chunk({"content": "a" * 3}) for _ in range(50)]
    body = Body(held, 1.0)
    answer, took, _ = ask_once(
        plan(scan_step("token", "a{1000}"), request=12.0),
        FakeProvider(lambda _: stream_answer(body)),
        stream=True,
    )
    assert (answer.status, code_of(answer)) == (504, "request_timeout")
    assert took == pytest.approx(12.0)


def test_a_policy_that_uses_up_the_budget_makes_the_next_one_late() -> None:
    async def main() -> None:
        provider = FakeProvider(lambda _: json_answer(completion("hi")))
        steps = [scan_step(name, "x", phase=Phase.INPUT, order=at) for at, name in enumerate("ab")]
        async with gateway(plan(*steps, policy=2.0), provider) as app:
            _slow_down(app, seconds=3.0)
            answer = await chat(app, "hello")
            assert (answer.status, code_of(answer)) == (503, "policy_unavailable")
            assert orjson.loads(answer.body)["error"]["policy"] == "b"
            assert provider.asked == []

    run_in_virtual_time(main)


def _slow_down(app: App, seconds: float) -> None:
    """Make the first input step take that long on the clock."""

    def slow(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, MockClock)
        clock.jump(seconds)
        return ALLOW

    (first,), *rest = app.endpoints.input
    app.endpoints = attrs.evolve(app.endpoints, input=((BoundStep(first.step, slow),), *rest))


def test_a_client_that_leaves_closes_the_upstream_and_frees_its_slot() -> None:
    async def main() -> None:
        body = Body([chunk({"content": "a"})] * 1000, 1.0)
        provider = FakeProvider(lambda _: stream_answer(body))
        async with gateway(plan(max_concurrent=1), provider) as app:
            request = [chat_body("hello", stream=True)]
            async with asgi_request(
                app, "POST", "/v1/chat/completions", body_chunks=request
            ) as exchange:
                await exchange.receive_message()
                await exchange.receive_message()
                exchange.leave()
                left = trio.current_time()
                await exchange.finished.wait()
                assert trio.current_time() == left
            assert body.is_closed
            assert not body.is_exhausted
            assert app.endpoints.gate.running == 0

    run_in_virtual_time(main)


@pytest.mark.parametrize("on_trouble", list(OnTrouble))
def test_a_stream_that_uses_up_the_policy_budget_ends_or_goes_on_as_its_policy_says(
    on_trouble: OnTrouble,
) -> None:
    steps = [scan_step("mail", r"[a-z]+@[a-z]+;", on_trouble=on_trouble)]
    body = Body([streamed(["to a@", "b; and c@d; now"])])
    provider = FakeProvider(lambda _: stream_answer(body))
    answer, _, _ = ask_once(plan(*steps, policy=0.0), provider, stream=True)
    if on_trouble is OnTrouble.ALLOW:
        assert streamed_text(answer.body) == "to a@b; and c@d; now"
    else:
        assert error_of(answer.body)["code"] == "policy_unavailable"
        assert streamed_text(answer.body) == "to "
