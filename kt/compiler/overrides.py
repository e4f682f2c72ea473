"""Apply what an entry says beside its kind's settings: its action, message and replacement.

In: a body and facts of a kind, an entry. Out: the same as the entry wants them; what has no effect
on such a body is reported. Never: a kind's own settings.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from kt.compiler.model import ChainEntry, EntryAction, EntryOrder
from kt.diagnostics import Report
from kt.plan import Ask, Body, Scan
from kt.policy import ACTING, Action, Facts, Phase, Rule

OVERRIDES = ("action", "message", "replacement", "fail_open", "fail_closed")
"""What an entry may say of a kind that looks at text, and of no other."""

ACTION_OF: Mapping[EntryAction, Action] = MappingProxyType(
    {
        EntryAction.BLOCK: Action.BLOCK,
        EntryAction.REDACT: Action.REDACT,
        EntryAction.ESCALATE: Action.ESCALATE,
        EntryAction.FLAG: Action.FLAG,
        EntryAction.WARN: Action.WARN,
        EntryAction.LOG: Action.LOG,
        EntryAction.ALLOW: Action.LOG,
    }
)
"""What is let through is recorded all the same."""

RECORDS = frozenset({EntryAction.LOG, EntryAction.FLAG, EntryAction.ALLOW})
"""What an entry that only writes events does anyway."""


def overruled(body: Body, entry: ChainEntry) -> Body:
    """The body with what its entry says instead."""
    if not isinstance(body, Scan | Ask):
        return body
    options = entry.options
    action = body.action if options.action is None else ACTION_OF[options.action]
    message = body.message if options.message is None else options.message.value
    if isinstance(body, Ask):
        return attrs.evolve(body, action=action, message=message)
    rules = body.rules
    if options.replacement is not None:
        rules = tuple(_relabeled(rule, options.replacement.value) for rule in rules)
    return attrs.evolve(
        body,
        rules=rules,
        action=action,
        message=message,
    )


def _relabeled(rule: Rule, label: str) -> Rule:
    return attrs.evolve(rule, label=label, derived=None)


def facts_of(body: Body, facts: Facts, phase: Phase, entry: ChainEntry) -> Facts:
    """The facts of what the body does now, in the order that its entry asks for."""
    # After everything nothing blocks any more, so that there is no place to give up.
    if entry.options.order is EntryOrder.FREE and facts.acts and phase is not Phase.AUDIT:
        facts = attrs.evolve(facts, free_order=True)
    if isinstance(body, Ask):
        # Where it acts at all, the service says how.
        return attrs.evolve(facts, can_block=body.action in ACTING, edits=body.action in ACTING)
    if not isinstance(body, Scan):
        return facts
    is_block, is_redact = body.action is Action.BLOCK, body.action is Action.REDACT
    return attrs.evolve(facts, can_block=is_block, edits=is_redact)


def report_idle_options(bodies: tuple[object, ...], entry: ChainEntry, report: Report) -> None:
    """Warn of what an entry says and its kind has no use for."""
    for key in entry.keys:
        if key.value not in OVERRIDES or any(isinstance(body, Scan) for body in bodies):
            continue
        if key.value != "replacement" and any(isinstance(body, Ask) for body in bodies):
            continue
        if key.value == "action" and entry.options.action in RECORDS:
            continue
        report.add("not_enforced", key.span, word=key.value)


def report_needless_order(facts: tuple[Facts, ...], entry: ChainEntry, report: Report) -> None:
    """Warn of a free order where nothing would keep its place."""
    if entry.options.order is EntryOrder.FREE and not any(one.free_order for one in facts):
        place = next(key.span for key in entry.keys if key.value == "order")
        hint = "leave it out: only what has effects or keeps state is kept in front of blockers"
        report.add("needless_order", place, word=entry.name, hint=hint)
