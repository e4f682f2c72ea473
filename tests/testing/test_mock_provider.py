"""The mock as an app: what it answers where, what it remembers, when it notices that one left."""

import json
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from kt.testing.behavior import MockSettings
from kt.testing.mock_provider import Ended, MockProvider
from tests.support.asgi import Headers, Response, asgi_request, ask

PATH = "/v1/chat/completions"


def autojump(main: Callable[[], Awaitable[None]]) -> None:
    """Run on a clock that jumps to the next deadline."""
    trio.run(main, clock=MockClock(autojump_threshold=0))


def body_of(text: str = "hello", model: str = "m", *, stream: bool = False) -> bytes:
    """A chat completion request."""
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": model, "messages": messages, "stream": stream}).encode()


def answer(
    provider: MockProvider, body: bytes, headers: Headers = (), method: str = "POST"
) -> Response:
    """One answer of the provider."""

    async def main() -> Response:
        return await ask(provider, method, PATH, headers, body)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def test_it_answers_and_remembers() -> None:
    provider = MockProvider()
    response = answer(provider, body_of("hi"), [("x-a", "b")])
    assert json.loads(response.body)["choices"][0]["message"]["content"] == "hi"
    (received,) = provider.requests
    assert (received.method, received.path, received.body) == ("POST", PATH, body_of("hi"))
    assert received.headers == (("x-a", "b"),)
    assert received.ended is Ended.COMPLETE
    assert "hello" not in repr(received)


def test_models_are_listed_and_everything_else_is_not_found() -> None:
    async def main() -> None:
        provider = MockProvider()
        models = await ask(provider, "GET", "/v1/models")
        assert [model["id"] for model in json.loads(models.body)["data"]] == ["mock"]
        for method, path in (("GET", PATH), ("POST", "/v1/models"), ("GET", "/")):
            assert (await ask(provider, method, path)).status == 404
        assert provider.counts.complete == 4

    autojump(main)


def test_delays_are_kept() -> None:
    settings = MockSettings(delay=2.0, chunks=3, chunk_delay=1.0)
    response = answer(MockProvider(settings), body_of("abc", stream=True))
    times = [message.time for message in response.messages if message.body]
    assert times == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert response.messages[0].time == 2.0


def test_a_header_chooses_the_answer() -> None:
    response = answer(MockProvider(), body_of(), [("x-mock-reply", "chosen")])
    assert json.loads(response.body)["choices"][0]["message"]["content"] == "chosen"


def test_an_unknown_wish_is_a_400() -> None:
    assert answer(MockProvider(), body_of(model="mock:fault=explode")).status == 400
    assert answer(MockProvider(), b"{").status == 400
    assert answer(MockProvider(), b'{"model": 3}').status == 400


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_a_stalled_answer_is_counted(stream: bool) -> None:
    async def main() -> None:
        provider = MockProvider(MockSettings(fault="stall"))
        async with asgi_request(
            provider, "POST", PATH, body_chunks=[body_of(stream=stream)]
        ) as exchange:
            await exchange.receive_message()
            assert (await exchange.receive_message()).body
            await trio.sleep(7)
            assert provider.counts.open == 1
            assert [received.ended for received in provider.requests] == [Ended.OPEN]
            exchange.leave()
            await exchange.finished.wait()
            assert trio.current_time() == 7
        assert (provider.counts.open, provider.counts.closed_early) == (0, 1)
        assert [received.ended for received in provider.requests] == [Ended.CLIENT_LEFT]

    autojump(main)


def test_a_client_that_leaves_before_its_body_ended_never_came() -> None:
    async def main() -> None:
        provider = MockProvider()
        async with asgi_request(provider, "POST", PATH, body_chunks=[b"{", b"}"]) as exchange:
            exchange.leave()
        assert provider.counts.requests == 0

    autojump(main)


def test_a_cut_is_counted_as_ours() -> None:
    provider = MockProvider(MockSettings(fault="cut"))
    response = answer(provider, body_of(stream=True))
    assert not response.is_complete
    assert (provider.counts.cut, provider.requests[0].ended) == (1, Ended.CUT)


def failures(seed: int) -> list[int]:
    """The statuses of forty requests to a mock that fails a half of them."""
    provider = MockProvider(MockSettings(fail_rate=0.5, seed=seed))
    return [answer(provider, body_of()).status for _ in range(40)]


def test_failures_follow_the_seed() -> None:
    assert failures(1) == failures(1)
    assert failures(1) != failures(2)
    assert set(failures(1)) == {200, 500}


def test_its_memory_is_bounded() -> None:
    provider = MockProvider(MockSettings(keep=3))
    for _ in range(5):
        answer(provider, body_of())
    assert [received.number for received in provider.requests] == [3, 4, 5]
    assert {received.ended for received in provider.requests} == {Ended.COMPLETE}
    assert (provider.counts.requests, provider.counts.complete) == (5, 5)
