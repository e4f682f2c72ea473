"""Apps of one gateway: who gets the requests, and when one ends."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import orjson
import pytest
import trio

from kt.errors import UsageError
from kt.plan import Plan
from kt.policy import Action, Phase
from kt.runtime.app import App
from kt.runtime.generations import Make, generations
from tests.support.asgi import Response, asgi_request, ask
from tests.support.gateways import chat, chat_body, gateway, run_in_virtual_time
from tests.support.plans import plan, scan_step
from tests.support.upstreams import FakeProvider, completion, json_answer

PATH = "/v1/chat/completions"
OLD = plan()
NEW = plan(scan_step("p", "secret", phase=Phase.INPUT, action=Action.BLOCK))


def make(the_plan: Plan, closed: list[str], seconds: float = 1.0) -> Make:
    """An app whose provider takes its time; its end is noted."""
    provider = FakeProvider(lambda _: json_answer(completion("hi")), head_seconds=seconds)

    @asynccontextmanager
    async def made() -> AsyncIterator[App]:
        async with gateway(the_plan, provider, Path("no-audit")) as app:
            yield app
        closed.append(the_plan.digest)

    return made


def test_a_request_under_way_keeps_its_app_open_and_the_next_one_gets_the_new_one() -> None:
    closed: list[str] = []
    answers: list[Response] = []

    async def main() -> None:
        async with generations() as served:
            await served.begin(make(OLD, closed))
            async with asgi_request(served, "POST", PATH, (), [chat_body("secret")]) as first:
                await trio.testing.wait_all_tasks_blocked()
                await served.begin(make(NEW, closed))
                answers.append(await chat(served, "secret"))  # type: ignore[arg-type]
                assert (served.alive, closed) == (2, [])
                answers.append(await first.collect())
            await trio.testing.wait_all_tasks_blocked()
            assert (served.alive, closed) == (1, [OLD.digest])
        assert closed == [OLD.digest, NEW.digest]

    run_in_virtual_time(main)
    blocked, fine = answers
    assert (blocked.status, blocked.headers["x-keeptrusts-plan"]) == (409, NEW.digest)
    assert (fine.status, fine.headers["x-keeptrusts-plan"]) == (200, OLD.digest)
    assert orjson.loads(fine.body)["choices"][0]["message"]["content"] == "hi"


def test_what_cannot_be_built_leaves_all_as_it_is() -> None:
    def broken() -> AbstractAsyncContextManager[App]:
        raise UsageError("no", "do something")

    async def main() -> None:
        async with generations() as served:
            await served.begin(make(OLD, []))
            with pytest.raises(UsageError):
                await served.begin(broken)
            assert served.newest.plan is OLD
            assert (await chat(served, "hello")).status == 200  # type: ignore[arg-type]

    run_in_virtual_time(main)


def test_a_drain_reaches_an_app_that_begins_later() -> None:
    async def main() -> None:
        async with generations() as served:
            await served.begin(make(OLD, []))
            served.drain()
            await served.begin(make(NEW, []))
            assert (await ask(served, "GET", "/readyz")).status == 503

    run_in_virtual_time(main)


def test_a_client_that_leaves_lets_its_app_go() -> None:
    closed: list[str] = []

    async def main() -> None:
        async with generations() as served:
            await served.begin(make(OLD, closed, seconds=1000.0))
            async with asgi_request(served, "POST", PATH, (), [chat_body("hello")]):
                await trio.testing.wait_all_tasks_blocked()
                await served.begin(make(NEW, closed))
            await trio.testing.wait_all_tasks_blocked()
            assert closed == [OLD.digest]

    run_in_virtual_time(main)


def test_before_the_first_there_is_none() -> None:
    async def main() -> None:
        async with generations() as served:
            with pytest.raises(RuntimeError):
                _ = served.newest

    run_in_virtual_time(main)
