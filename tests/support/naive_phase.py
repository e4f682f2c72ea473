"""The reference for facts that no kind has yet: effects, waiting, redacted text, trouble.

Policies are taken in declared order, one at a time. This module imports nothing from the optimizer,
the merge or the runtime; what it needs of a text is told by `naive`.
"""

from types import MappingProxyType

import attrs

from kt.filters.facts import FilterFacts
from kt.filters.syntax import Filter
from kt.policy import Action, Edit, OnTrouble, Outcome, Rule
from tests.support import naive
from tests.support.filter_strategies import holds

NOTHING_KNOWN = FilterFacts(MappingProxyType({}))


@attrs.frozen(kw_only=True)
class Scripted:
    """One policy: what it looks for, and what it answers where that stands in its text."""

    name: str
    order: int
    needle: str
    """One letter, which stands in the text once or not at all."""
    outcome: Outcome
    acts: bool = False
    sees_redacted: bool = False
    on_trouble: OnTrouble = OnTrouble.BLOCK
    trouble: Outcome | None = None
    """What it answers instead, whatever the text."""
    when: Filter | None = None
    """For which requests it is; None: for all."""

    @property
    def rule(self) -> Rule:
        """Its needle as a rule."""
        return Rule(id=self.name, pattern=self.needle, label="#")

    @property
    def makes_text(self) -> bool:
        """Whether others may see only what it leaves."""
        return self.outcome is Outcome.REDACT and not self.sees_redacted


@attrs.frozen(kw_only=True)
class NaivePhase:
    """What a phase comes to."""

    outcome: Outcome
    may_be_named: frozenset[str]
    edits: frozenset[Edit]
    verdicts: frozenset[tuple[str, Outcome]]
    effects: frozenset[str]
    """The policies with effects that ran."""


def decide(declared: list[Scripted], text: str, facts: FilterFacts = NOTHING_KNOWN) -> NaivePhase:
    """Take the policies in declared order; what acts runs only where nobody before it blocked.

    Those that are not for this request are as if they were not declared.
    """
    policies = [one for one in declared if one.when is None or holds(one.when, facts)]
    verdicts: list[tuple[Scripted, Outcome]] = []
    effects = set()
    for policy in policies:
        if policy.acts and any(outcome is Outcome.BLOCK for _, outcome in verdicts):
            continue
        seen = text_for(policy, policies, text)
        verdicts.append((policy, Outcome.UNEVALUABLE if seen is None else answer(policy, seen)))
        if policy.acts and seen is not None:
            effects.add(policy.name)
    outcome, named = strongest(verdicts)
    return NaivePhase(
        outcome=outcome,
        may_be_named=named,
        edits=frozenset(edits_of(verdicts, text)) if not named else frozenset(),
        verdicts=frozenset((policy.name, one) for policy, one in verdicts),
        effects=frozenset(effects),
    )


def answer(policy: Scripted, seen: str) -> Outcome:
    """What a policy says of a text."""
    if policy.trouble is not None:
        return policy.trouble
    return policy.outcome if policy.needle in seen else Outcome.ALLOW


def text_for(policy: Scripted, policies: list[Scripted], text: str) -> str | None:
    """The text that a policy may see, None where somebody could not redact it."""
    if not policy.sees_redacted:
        return text
    editors = [one for one in policies if one.makes_text]
    if any(one.trouble is not None for one in editors):
        return None
    told = [
        naive.NaivePolicy(name=one.name, rules=(one.rule,), action=Action.REDACT) for one in editors
    ]
    return naive.redact(told, text)


def strongest(verdicts: list[tuple[Scripted, Outcome]]) -> tuple[Outcome, frozenset[str]]:
    """Block beats trouble, trouble beats escalation, escalation beats redaction beats allow."""
    blocks = [policy for policy, outcome in verdicts if outcome is Outcome.BLOCK]
    if blocks:
        return Outcome.BLOCK, frozenset(policy.name for policy in blocks)
    trouble = [(policy, one) for policy, one in verdicts if one.is_trouble]
    closing = [(policy, one) for policy, one in trouble if policy.on_trouble is OnTrouble.BLOCK]
    if closing:
        first = min(closing, key=lambda pair: pair[0].order)
        return first[1], frozenset({first[0].name})
    escalations = [policy for policy, one in verdicts if one is Outcome.ESCALATE]
    if escalations:
        first_name = min(escalations, key=lambda policy: policy.order).name
        return Outcome.ESCALATE, frozenset({first_name})
    is_edited = any(one is Outcome.REDACT for _, one in verdicts)
    return (Outcome.REDACT if is_edited else Outcome.ALLOW), frozenset()


def edits_of(verdicts: list[tuple[Scripted, Outcome]], text: str) -> list[Edit]:
    """The edits that were asked for, in the original text."""
    return [
        edit_at(policy, text.index(policy.needle))
        for policy, outcome in verdicts
        if outcome is Outcome.REDACT
    ]


def edit_at(policy: Scripted, start: int) -> Edit:
    """The edit of a policy that found its letter."""
    return Edit(segment=0, start=start, end=start + 1, label="#", order=policy.order)
