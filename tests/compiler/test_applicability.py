"""What the compiler proves of conditions, and what it leaves alone."""

import pytest

from kt.compiler import compile_source
from kt.compiler.applicability import MOST_BRANCHES, NOT_HERE
from kt.compiler.program import PARTS
from kt.diagnostics import Diagnostic
from kt.errors import ConfigError
from kt.filters.printing import show
from kt.filters.vocabulary import REQUEST
from kt.plan import Step
from kt.policy import Phase
from kt.source import Source


def compiled(entry: str) -> tuple[tuple[Step, ...], tuple[Diagnostic, ...]]:
    """The steps of one entry's chain, and its warnings about conditions."""
    text = f"policies: {{chain: [{{prompt-injection: {entry}}}]}}"
    done = compile_source(Source("kt.yaml", text))
    found = [one for one in done.report.warnings if one.name.endswith(("_always", "_never"))]
    return done.plan.steps(Phase.INPUT), tuple(found)


def shown(when: str, more: str = "") -> list[str]:
    """The condition in the plan, quoted for YAML; nothing where no step is left."""
    quoted = "'" + when.replace("'", "''") + "'"
    steps, _ = compiled(f"{{when: {quoted}{more}}}")
    return ["" if step.when is None else show(step.when) for step in steps]


def found(when: str, more: str = "") -> list[tuple[str, list[str]]]:
    quoted = "'" + when.replace("'", "''") + "'"
    _, warnings = compiled(f"{{when: {quoted}{more}}}")
    return [(one.name, [related.label for related in one.related]) for one in warnings]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("request.stream", ["request.stream == true"]),
        ("request.stream and request.stream", ["request.stream == true"]),
        ("request.stream and true", ["request.stream == true"]),
        ("not not request.stream", ["request.stream == true"]),
        ("request.stream or not request.stream", [""]),
        ("true", [""]),
        ("false", []),
        ("request.max_tokens > 5 and request.max_tokens < 5", []),
        ("request.messages.count < 0", []),
        ("request.model matches '^a+$' and request.model matches '^b+$'", None),
    ],
)
def test_the_plan_keeps_what_matters(written: str, kept: list[str] | None) -> None:
    assert shown(written) == ([written.replace("'", '"')] if kept is None else kept)


def test_both_keys_must_hold() -> None:
    steps, _ = compiled("{when: request.stream, conditions: {max_tokens_gt: 5}}")
    assert [show(step.when) for step in steps if step.when] == [
        "request.stream == true and request.max_tokens > 5"
    ]


def test_a_contradiction_between_the_two_keys_is_shown_with_both_places() -> None:
    _, (never,) = compiled("{when: request.max_tokens < 5, conditions: {max_tokens_gt: 5}}")
    labels = [one.label for one in never.related]
    assert labels == ["request.max_tokens < 5", "request.max_tokens > 5"]
    assert never.related[0].span != never.related[1].span


@pytest.mark.parametrize(
    ("written", "warnings"),
    [
        ("request.stream", []),
        ("true", [("when_always", [])]),
        ("false", [("when_never", ["false"])]),
        (
            "request.max_tokens > 5 or request.max_tokens > 7",
            [("branch_never", ["request.max_tokens > 5"])],
        ),
        (
            "exists(user.id) and not (request.stream or request.stream)",
            [("branch_never", ["request.stream == true"])],
        ),
        (
            "request.stream or request.messages.count < 0",
            [("branch_never", ["request.messages.count < 0"])],
        ),
        ("request.model matches 'a' or request.model matches 'ab'", []),
    ],
)
def test_what_decides_nothing_is_said(written: str, warnings: list[object]) -> None:
    assert found(written) == warnings


def test_a_long_or_is_not_judged_part_by_part() -> None:
    parts = [f"request.max_tokens == {number}" for number in range(MOST_BRANCHES - 1)]
    assert len(found(" or ".join([*parts, parts[0]]))) == 1
    assert found(" or ".join([*parts, "request.stream", parts[0]])) == []


def test_what_is_switched_off_is_not_judged() -> None:
    assert found("false", ", enabled: false") == []


def test_what_counts_as_met_is_not_called_needless() -> None:
    steps, warnings = compiled("{conditions: {wallet_balance: sufficient}}")
    assert [step.when for step in steps] == [None]
    assert warnings == ()


@pytest.mark.parametrize("name", sorted(NOT_HERE))
def test_a_field_that_is_not_there_yet_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(f"{{when: exists({name})}}")
    (error,) = raised.value.report.errors
    assert (error.name, "input" in error.message) == ("field_not_here", True)


def test_the_provider_is_known_behind_the_request() -> None:
    done = compile_source(Source("kt.yaml", "policies: [{type: quality, when: {provider.id: a}}]"))
    (step,) = done.plan.steps(Phase.OUTPUT)
    assert step.when is not None
    assert show(step.when) == 'provider.id == "a"'


def test_fields_that_are_not_there_are_fields() -> None:
    assert NOT_HERE.keys() <= set(REQUEST.names)


def test_every_step_of_an_entry_has_its_condition_and_the_digest_knows_it() -> None:
    def plan(entry: str) -> tuple[str, list[str]]:
        done = compile_source(
            Source("kt.yaml", f"policies: {{chain: [{{{entry}}}, audit-logger]}}")
        )
        steps = [step for phase in PARTS for step in done.plan.steps(phase)]
        return done.plan.digest, [show(step.when) for step in steps if step.when]

    digest, conditions = plan("pii-detector: {when: request.stream}")
    assert conditions == ["request.stream == true"] * 2
    assert plan("pii-detector: {when:      'request.stream  ==  true' }")[0] == digest
    assert plan("pii-detector: {when: not request.stream}")[0] != digest
    assert plan("pii-detector: {}")[0] != digest


def test_conditions_of_what_only_chooses_models_are_kept_and_said() -> None:
    text = "policies: [{type: model_filter, allowed_models: [a], conditions: {max_tokens_gt: 1}}]"
    done = compile_source(Source("kt.yaml", text))
    (rule,) = done.config.policies.model_rules
    assert rule.options.conditions is not None
    assert show(rule.options.conditions.tree) == "request.max_tokens > 1"
    words = [one.message for one in done.report.warnings if "'conditions'" in one.message]
    assert words == ["'conditions' is set, but not enforced yet"]
