"""Reloads one after the other, and what is said about them."""

from collections.abc import Callable
from functools import partial

import pytest
import trio

from kt.compiler import Settings, compile_source
from kt.errors import ConfigError, GatewayError, KtError, UsageError
from kt.runtime.reload import Reloader, ReloadReport
from kt.source import Source
from tests.support.gateways import run_in_virtual_time


def report(number: int, failure: KtError | None = None) -> ReloadReport:
    """A report that can be told from others."""
    return ReloadReport(before="old", after=f"new{number}", failure=failure)


class Attempts:
    """Attempts that take a second each."""

    def __init__(self, fails: Callable[[], None] = lambda: None) -> None:
        self.begun: list[float] = []
        self.log: list[str] = []
        self._fails = fails

    async def attempt(self) -> ReloadReport:
        """The next one."""
        self.begun.append(trio.current_time())
        number = len(self.begun)
        await trio.sleep(1)
        self._fails()
        return report(number)

    def reloader(self, nursery: trio.Nursery) -> Reloader:
        """Whoever makes them."""
        return Reloader(nursery, self.attempt, partial(report, 0), self.log.append)


async def _note(reloader: Reloader, found: list[tuple[float, str]]) -> None:
    come = trio.current_time()
    found.append((come, (await reloader.reload()).after))


def test_who_asks_during_one_shares_the_next() -> None:
    attempts = Attempts()
    found: list[tuple[float, str]] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            reloader = attempts.reloader(nursery)
            start = trio.current_time()
            nursery.start_soon(_note, reloader, found)
            await trio.sleep(0.5)
            for _ in range(5):
                nursery.start_soon(_note, reloader, found)
            await trio.sleep(2)
            nursery.start_soon(_note, reloader, found)
        assert [at - start for at in attempts.begun] == [0, 1, 2.5]

    run_in_virtual_time(main)
    assert [after for _, after in found] == ["new1", *["new2"] * 5, "new3"]
    assert sum("Reloaded" in line for line in attempts.log) == 3


def test_who_leaves_does_not_stop_it() -> None:
    attempts = Attempts()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            reloader = attempts.reloader(nursery)
            with trio.move_on_after(0.1):
                await reloader.reload()
            assert (await reloader.reload()).after == "new2"

    run_in_virtual_time(main)
    assert len(attempts.begun) == 2


def test_a_shutdown_ends_the_wait() -> None:
    attempts = Attempts()
    found: list[ReloadReport] = []

    async def ask(reloader: Reloader) -> None:
        found.append(await reloader.reload())

    async def main() -> None:
        async with trio.open_nursery() as clients, trio.open_nursery() as nursery:
            clients.start_soon(ask, attempts.reloader(nursery))
            await trio.sleep(0.5)
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)
    assert isinstance(found[0].failure, GatewayError)
    assert found[0].status == 503


def raiser(error: BaseException) -> Callable[[], None]:
    """A function that raises."""

    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("raised", "code", "status"),
    [
        (UsageError("no", "do"), "reload_failed", 422),
        (BaseExceptionGroup("", [UsageError("no", "do")]), "reload_failed", 422),
        (ExceptionGroup("", [ExceptionGroup("", [UsageError("no", "do")])]), "reload_failed", 422),
        (ValueError("secret text"), "internal_error", 500),
    ],
)
def test_a_failure_is_a_report(raised: BaseException, code: str, status: int) -> None:
    attempts = Attempts(raiser(raised))
    found: list[ReloadReport] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            found.append(await attempts.reloader(nursery).reload())

    run_in_virtual_time(main)
    assert (found[0].result, found[0].status) == ("failed", status)
    assert found[0].as_data()["error"]["code"] == code
    assert any("Reload failed: plan new0 runs on" in line for line in attempts.log)
    assert "secret text" not in "".join(attempts.log)


def test_a_configuration_that_is_wrong_is_told_with_its_places() -> None:
    text = "pack: {name: a, version: 1.0.0, enabled: true}\npolicies: {chian: []}\n"
    with pytest.raises(ConfigError) as refusal:
        compile_source(Source("a.yaml", text), Settings())
    data = report(1, refusal.value).as_data()
    assert data["result"] == "failed"
    assert data["error"]["code"] == "reload_failed"
    assert {"line": 2, "column": 12}.items() <= data["diagnostics"][0].items()
    assert data["diagnostics"][0]["code"].startswith("KT")
    assert any("a.yaml:2:12" in line for line in report(1, refusal.value).lines())


def test_a_success_says_what_changes_and_what_does_not_yet() -> None:
    done = ReloadReport(before="a", after="b", changes=("x: 1 -> 2",), kept=("gateway.edge",))
    assert done.as_data() == {
        "result": "activated",
        "plan": {"before": "a", "after": "b"},
        "changes": ["x: 1 -> 2"],
        "kept": ["gateway.edge"],
    }
    warning, line = done.lines()
    assert "gateway.edge" in warning
    assert "plan b" in line
