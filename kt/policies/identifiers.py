"""What the kinds about personal data have in common: rules for entities, and what no rule finds."""

from collections.abc import Iterable, Iterator

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem
from kt.policies.rules.personal_data import Entity
from kt.policy import Action, Facts, Phase, Rule


def identifier_rules(family: str, entities: Iterable[Entity]) -> Iterator[Rule]:
    """A rule for every pattern of every entity; each entity is its own label."""
    for one in entities:
        for number, (pattern, validator) in enumerate(one.patterns, start=1):
            yield Rule(
                id=f"{family}.{one.name.lower()}.{number}",
                pattern=pattern,
                validator=validator,
                label=f"[{one.name}]",
                severity=one.severity,
            )


def identifier_scan(
    family: str, entities: tuple[Entity, ...], action: RedactOrBlock, phase: Phase, what: str
) -> Scan:
    """The body of a kind that looks for a fixed list of entities."""
    return Scan(
        rules=tuple(identifier_rules(family, entities)),
        action=Action(action.value),
        message=f"{phase.subject} blocked: it contains {what}",
    )


def identifier_facts(action: RedactOrBlock) -> Facts:
    """Such a kind reads everything, and blocks or edits as its action says."""
    return Facts(
        surfaces=frozenset(Surface),
        can_block=action is RedactOrBlock.BLOCK,
        edits=action is RedactOrBlock.REDACT,
    )


def not_found(field: str, what: str) -> Problem:
    """Warn of personal data that has no form of its own; `what` ends in `is` or `are`.

    An empty field is the policy as a whole.
    """
    return Problem(
        field=field,
        code_name="not_found",
        message=f"{what} not found",
        hint="no pattern can tell this from other text; docs/policies.md lists what is found",
        is_warning=True,
    )
