"""Kinds that nothing performs yet: said when compiled, refused when run, and without effect."""

from pathlib import Path

import pytest

from kt.cli.gateway import refuse_unenforced, unenforced_kinds
from kt.compiler import Compiled, compile_source
from kt.errors import UsageError
from kt.explain import explain_text
from kt.plan import NotEnforced, Plan, canonical_json
from kt.policies import KINDS
from kt.policy import Phase
from kt.runtime.engine import bind
from kt.runtime.fused import StreamRules
from kt.source import Source
from tests.support.plans import plan, scan_step
from tests.support.processes import kt

IDLE = tuple(
    kind for kind in KINDS.values() if isinstance(kind().body(kind.PHASES[0]), NotEnforced)
)
CHAIN = "policies: {chain: [quality-scorer, pii-detector, rbac, tool-budget]}"


def compiled(text: str) -> Compiled:
    return compile_source(Source("kt.yaml", text))


def test_each_of_them_is_warned_of_where_it_is_chained() -> None:
    names = [kind.KIND for kind in IDLE]
    report = compiled(f"policies: {{chain: [{', '.join(names)}]}}").report
    warned = [one for one in report.warnings if one.name == "kind_not_enforced"]
    text = report.source.text
    assert [text[one.span.start : one.span.end] for one in warned] == names


def test_explain_says_it_in_the_line_of_the_step() -> None:
    lines = [line for line in explain_text(compiled(CHAIN).plan).splitlines() if " rbac " in line]
    assert len(lines) == 2
    assert all("not enforced: roles are not looked up" in line for line in lines)


def test_a_tool_policy_stands_where_tool_calls_are_judged() -> None:
    (stage,) = compiled("policies: {chain: [tool-budget]}").plan.output
    assert (stage.steps[0].phase, stage.steps[0].kind) == (Phase.TOOL, "tool-budget")


def test_a_plan_that_enforces_everything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    refuse_unenforced(plan(scan_step("a", "x")), is_allowed=False)
    assert capsys.readouterr().err == ""


def test_a_plan_that_does_not_is_refused_by_the_names_of_its_kinds() -> None:
    whole = compiled(CHAIN).plan
    assert unenforced_kinds(whole) == ("quality-scorer", "rbac", "tool-budget")
    with pytest.raises(UsageError) as refusal:
        refuse_unenforced(whole, is_allowed=False)
    assert refusal.value.message.endswith("not enforced yet: quality-scorer, rbac, tool-budget")
    assert "--allow-unenforced" in refusal.value.hint


def test_who_allows_it_is_warned(capsys: pytest.CaptureFixture[str]) -> None:
    refuse_unenforced(compiled(CHAIN).plan, is_allowed=True)
    warned = capsys.readouterr().err
    assert warned == "warning: these policies do nothing yet: quality-scorer, rbac, tool-budget\n"


def test_such_a_step_is_never_performed() -> None:
    whole = compiled(CHAIN).plan
    assert performed(whole) == [["pii-detector"], ["pii-detector"]]
    assert {step.kind for step in StreamRules.of(whole.output).steps} == {"pii-detector"}


def performed(whole: Plan) -> list[list[str]]:
    """The kinds of the steps that are bound, per phase."""
    phases = (bind(whole.input), bind(whole.output))
    return [[bound.step.kind for stage in phase for bound in stage] for phase in phases]


def test_the_plan_is_honest_about_it() -> None:
    data = canonical_json(compiled("policies: {chain: [upl-filter]}").plan)
    assert b'"node":"NotEnforced"' in data


@pytest.mark.slow
def test_the_gateway_starts_with_it_only_where_that_is_allowed(tmp_path: Path) -> None:
    config = tmp_path / "policy-config.yaml"
    config.write_text(f"pack: {{name: a, version: 1.0.0, enabled: true}}\n{CHAIN}\n")
    arguments = ["gateway", "run", "--listen", "127.0.0.1:0", "--policy-config", str(config)]
    upstream = ["--upstream", "http://127.0.0.1:1"]
    with (
        pytest.raises(AssertionError, match="quality-scorer, rbac, tool-budget"),
        kt(*arguments, *upstream, state=tmp_path),
    ):
        pass
    with kt(*arguments, *upstream, "--allow-unenforced", state=tmp_path) as process:
        assert process.end()[0] == 0
