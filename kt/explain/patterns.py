"""What is looked for: every rule of every scan, in the order in which they are asked.

In: Plan. Out: one row per rule, and the built-in lists with their hashes. Patterns are no secrets:
they stand in the configuration or ship with `kt`.
"""

from collections.abc import Iterator

import attrs

from kt.explain.tables import section
from kt.plan import Plan, Scan, Stage, Step
from kt.policy import View

SHOWN_HASH = 12
"""So many digits of a hash tell two lists apart for people; the JSON has all."""


@attrs.frozen(kw_only=True)
class Searched:
    """One rule at work."""

    phase: str
    stage: int
    """Counted from one; rules of one stage are looked for together where they can be."""
    policy: str
    action: str
    rule: str
    view: View
    validator: str | None
    pattern: str


def searched(plan: Plan) -> Iterator[Searched]:
    """Every rule of the plan."""
    for phase, stages in (("input", plan.input), ("output", plan.output)):
        for at, stage in enumerate(stages, start=1):
            yield from _stage(phase, at, stage)


def patterns_text(plan: Plan) -> str:
    """The rules as a table, and the lists that ship."""
    title = f"PATTERNS {plan.name}@{plan.version}  (format may change; use --json)"
    lists = ((name, digest[:SHOWN_HASH]) for name, digest in plan.rule_lists)
    lines = [
        *section(title, (_row(one) for one in searched(plan))),
        *section("built-in rule lists", lists),
    ]
    return "\n".join(lines) + "\n"


def _stage(phase: str, at: int, stage: Stage) -> Iterator[Searched]:
    for step in stage.steps:
        if isinstance(step.body, Scan):
            yield from _scan(phase, at, step, step.body)


def _scan(phase: str, at: int, step: Step, scan: Scan) -> Iterator[Searched]:
    for rule in scan.rules:
        yield Searched(
            phase=phase,
            stage=at,
            policy=step.name,
            action=scan.action.value,
            rule=rule.id,
            view=rule.view,
            validator=rule.validator,
            pattern=rule.pattern,
        )


def _row(one: Searched) -> tuple[str, ...]:
    check = "-" if one.validator is None else one.validator
    place = f"{one.phase} {one.stage}"
    return place, one.action, one.policy, one.rule, one.view.value, check, _in_one_line(one.pattern)


def _in_one_line(pattern: str) -> str:
    """The pattern with what a terminal would not show as escapes of the dialect."""
    return "".join(one if one.isprintable() else f"\\x{{{ord(one):x}}}" for one in pattern)
