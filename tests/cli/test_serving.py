"""What a running process wants of its gateway, and what it makes of the file."""

from pathlib import Path

import attrs
import pytest
import trio

from kt.cli.gateway import PlanSource
from kt.cli.serving import Serving, Wishes
from kt.compiler import Settings
from kt.errors import ConfigError, UsageError
from kt.plan import Plan
from kt.policy import Phase
from kt.runtime.gateway import GatewayOptions
from kt.runtime.reload import ReloadReport
from tests.support.gateways import run_in_virtual_time
from tests.support.plans import plan, scan_step

CONFIG = """\
pack: {name: a, version: 1.0.0, enabled: true}
policies: {chain: [CHAIN]}
providers: {targets: [{id: t, base_url: 'http://127.0.0.1:1'}]}
"""
RUNNING = plan(scan_step("p", "secret", phase=Phase.INPUT))


def surroundings(the_plan: Plan) -> GatewayOptions:
    """Surroundings that name their plan."""
    return GatewayOptions(
        host="127.0.0.1",
        port=0,
        log=lambda _: None,
        audit_path=Path("unused"),
        gateway_id=the_plan.version,
    )


def source(directory: Path, chain: str, *, is_lenient: bool = False) -> PlanSource:
    """A configuration in a file."""
    path = directory / "policy-config.yaml"
    path.write_text(CONFIG.replace("CHAIN", chain))
    return PlanSource(path, is_plan=False, settings=Settings(), is_lenient=is_lenient)


def test_what_takes_over_has_its_own_surroundings_and_says_what_it_changes() -> None:
    new = attrs.evolve(RUNNING, version="2.0.0", input=())
    candidate = Serving(lambda: new, surroundings).prepare(RUNNING)
    assert candidate.plan is new
    assert candidate.options.gateway_id == "2.0.0"
    assert any(
        line.startswith("input p: ") and line.endswith(" -> -") for line in candidate.changes
    )


def test_the_same_plan_changes_nothing() -> None:
    assert Serving(lambda: RUNNING, surroundings).prepare(RUNNING).changes == ()


def test_wishes_during_a_reload_are_one() -> None:
    reloads: list[float] = []

    async def main() -> None:
        wishes = Wishes()
        start = trio.current_time()

        async def reload() -> ReloadReport:
            reloads.append(trio.current_time() - start)
            await trio.sleep(1)
            return ReloadReport(before="", after="")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wishes.grant, reload)
            wishes.wish()
            await trio.sleep(0.5)
            for _ in range(3):
                wishes.wish()
            await trio.sleep(5)
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)
    assert reloads == [0, 1]


def test_a_file_is_read_again_as_it_is_then(tmp_path: Path) -> None:
    first = source(tmp_path, "pii-detector")
    assert [step.kind for step in first.read().steps(Phase.INPUT)] == ["pii-detector"]
    source(tmp_path, "prompt-injection")
    assert [step.kind for step in first.read_again().steps(Phase.INPUT)] == ["prompt-injection"]


def test_what_cannot_run_is_not_read_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        source(tmp_path, "no-such-kind").read_again()
    with pytest.raises(UsageError, match="not enforced"):
        source(tmp_path, "bot-detector").read_again()
    assert source(tmp_path, "bot-detector", is_lenient=True).read_again().enabled
    stdin = PlanSource(Path("-"), is_plan=False, settings=Settings(), is_lenient=False)
    with pytest.raises(UsageError, match="standard input"):
        stdin.read_again()
