"""The reference: what a phase decides, stated as plainly as possible.

Policies are taken in declared order, one at a time, over whole texts. This module imports nothing
from the optimizer, the merge or the runtime, and knows no streaming; it is allowed to be slow.
"""

import attrs

from kt.filters.facts import FilterFacts
from kt.filters.syntax import Filter
from kt.patterns.matcher import compile_rules
from kt.policy import Action, Derived, OnTrouble, Outcome, Rule
from tests.support.filter_strategies import holds


@attrs.frozen(kw_only=True)
class NaivePolicy:
    """One policy as the config declares it."""

    name: str
    rules: tuple[Rule, ...]
    action: Action
    on_trouble: OnTrouble = OnTrouble.BLOCK
    trouble: Outcome | None = None
    """Set where the test makes this policy fail instead of answering."""
    when: Filter | None = None
    """For which requests it is; None: for all."""


@attrs.frozen(kw_only=True)
class NaiveResult:
    """What the phase comes to."""

    outcome: Outcome
    named: str | None
    """The policy named for it."""
    may_be_named: frozenset[str]
    """Every policy that alone would have had this outcome: a plan may name any of them."""
    texts: tuple[str, ...]
    """The texts that go on; empty for what does not go on."""


@attrs.frozen
class Found:
    """One span to be replaced."""

    start: int
    end: int
    rank: tuple[int, int, int, int]
    rule: Rule


def applying(policies: list[NaivePolicy], facts: FilterFacts) -> list[NaivePolicy]:
    """The policies that are for a request; the others are as if they were not declared."""
    return [policy for policy in policies if policy.when is None or holds(policy.when, facts)]


def decide(policies: list[NaivePolicy], texts: list[str]) -> NaiveResult:
    """Block beats trouble, trouble beats escalation, escalation beats redaction beats allow."""
    outcomes = [outcome_of(policy, texts) for policy in policies]
    for wanted in (_is_block, _is_blocking_trouble, _is_escalation):
        hits = [
            (policy, outcome)
            for policy, outcome in zip(policies, outcomes, strict=True)
            if wanted(policy, outcome)
        ]
        if hits:
            names = frozenset(policy.name for policy, _ in hits)
            return NaiveResult(
                outcome=hits[0][1], named=hits[0][0].name, may_be_named=names, texts=()
            )
    redacted = tuple(redact(policies, text) for text in texts)
    changed = any(outcome is Outcome.REDACT for outcome in outcomes)
    return NaiveResult(
        outcome=Outcome.REDACT if changed else Outcome.ALLOW,
        named=None,
        may_be_named=frozenset(),
        texts=redacted,
    )


def outcome_of(policy: NaivePolicy, texts: list[str]) -> Outcome:
    """What one policy says."""
    if policy.trouble is not None:
        return policy.trouble
    rules = compile_rules(policy.rules)
    return (
        Outcome(policy.action.value) if any(rules.find(text) for text in texts) else Outcome.ALLOW
    )


def earliest_block(policies: list[NaivePolicy], text: str) -> int | None:
    """The first byte of the earliest span that blocks or escalates, None if there is none."""
    starts = [
        finding.start
        for policy in policies
        if policy.action in (Action.BLOCK, Action.ESCALATE)
        for finding in compile_rules(policy.rules).find(text)
    ]
    return min(starts, default=None)


def redact(policies: list[NaivePolicy], text: str, until: int | None = None) -> str:
    """Replace every found span, byte by byte: which spans are connected, who leads, what shows.

    With `until`, only what begins before that byte is shown.
    """
    data = text.encode()
    found = [one for order, policy in enumerate(policies) for one in _found(order, policy, text)]
    shown = bytearray()
    at = 0
    while at < (len(data) if until is None else until):
        group = _group_at(at, found)
        if not group:
            shown.append(data[at])
            at += 1
            continue
        end = max(one.end for one in group)
        shown += _shown(group, data[at:end]).encode()
        at = end
    return shown.decode()


def _found(order: int, policy: NaivePolicy, text: str) -> list[Found]:
    if policy.action is not Action.REDACT or policy.trouble is not None:
        return []
    return [
        Found(
            finding.start,
            finding.end,
            (finding.start, -policy.rules[finding.rule].severity, order, finding.rule),
            policy.rules[finding.rule],
        )
        for finding in compile_rules(policy.rules).find(text)
    ]


def _group_at(start: int, found: list[Found]) -> list[Found]:
    """The spans that begin at `start` and all that hang together with them to the right."""
    group = [one for one in found if one.start == start]
    while group:
        end = max(one.end for one in group)
        grown = [one for one in found if start <= one.start < end]
        if len(grown) == len(group):
            break
        group = grown
    return group


def _shown(group: list[Found], original: bytes) -> str:
    leader = min(group, key=lambda one: one.rank).rule
    text = original.decode()
    if leader.derived is None or len(group) > 1:
        return leader.label
    if leader.derived is Derived.SAME_LENGTH:
        return (leader.label + "*" * len(text))[: len(text)]
    return "*" * len(text) if len(text) <= 8 else "*" * (len(text) - 4) + text[-4:]


def _is_block(policy: NaivePolicy, outcome: Outcome) -> bool:
    return outcome is Outcome.BLOCK


def _is_blocking_trouble(policy: NaivePolicy, outcome: Outcome) -> bool:
    trouble = outcome in (Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE)
    return trouble and policy.on_trouble is OnTrouble.BLOCK


def _is_escalation(policy: NaivePolicy, outcome: Outcome) -> bool:
    return outcome is Outcome.ESCALATE
