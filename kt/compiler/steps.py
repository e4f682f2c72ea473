"""Turn chain entries into steps: one per entry and phase, in declared order.

In: Config. Out: stages of one step each, with the group that the user put it into, and which
entries are switched off. Never: an order of its own, a default that is not a kind's.
"""

import attrs

from kt.compiler.blocks import Kinds, report_problems
from kt.compiler.model import Block, ChainEntry, Config
from kt.compiler.overrides import (
    facts_of,
    overruled,
    report_idle_options,
    report_needless_order,
)
from kt.compiler.phases import phases_of
from kt.compiler.settings import Settings
from kt.compiler.tree import Entry, Map, Scalar
from kt.diagnostics import Related, Report
from kt.filters.syntax import Filter
from kt.plan import Ask, Body, Limit, NotEnforced, Stage, Step
from kt.policies import PolicyKind
from kt.policies.kind import Timed
from kt.policy import OnTrouble, Phase

TOGETHER = "parallel"
"""The group of entries that only say `parallel: true`."""
FREE = "order: free, so that blockers declared after it may start first"


@attrs.frozen(kw_only=True)
class Chosen:
    """What an entry runs on: its own settings, its kind's block, or its kind's defaults."""

    policy: PolicyKind
    block: Block | None
    on_trouble: OnTrouble


def stages_of(
    config: Config, kinds: Kinds, settings: Settings, report: Report, limit: Limit
) -> tuple[Stage, ...]:
    """The steps of every entry, each in a stage of its own."""
    if report.errors:
        return ()  # a kind's body may be asked for only where its settings are right
    blocks = {block.kind: block for block in config.policy}
    return tuple(
        Stage(steps=(step,), group=_group(entry))
        for order, entry in enumerate(config.policies.chain)
        for step in _steps(
            entry, _chosen(entry, kinds, blocks, settings), kinds, report, limit, order
        )
    )


def disabled_in(config: Config) -> frozenset[int]:
    """The declared places of entries that are switched off."""
    chain = enumerate(config.policies.chain)
    return frozenset(order for order, entry in chain if entry.options.enabled is False)


def _group(entry: ChainEntry) -> str | None:
    if entry.options.parallel_group is not None:
        return entry.options.parallel_group.value
    return TOGETHER if entry.options.parallel else None


def _chosen(
    entry: ChainEntry, kinds: Kinds, blocks: dict[str, Block], settings: Settings
) -> Chosen:
    kind = entry.kind.value
    block = None if entry.policy is not None else blocks.get(kind)
    own = entry.on_trouble or (None if block is None else block.on_trouble)
    return Chosen(
        policy=entry.policy or (kinds[kind]() if block is None else block.policy),
        block=block,
        on_trouble=own or settings.fail_mode or OnTrouble.BLOCK,
    )


def _steps(
    entry: ChainEntry, chosen: Chosen, kinds: Kinds, report: Report, limit: Limit, order: int
) -> list[Step]:
    phases = phases_of(entry, kinds)
    bodies = tuple(overruled(chosen.policy.body(phase), entry) for phase in phases)
    facts = tuple(
        facts_of(body, chosen.policy.facts(phase), phase, entry)
        for phase, body in zip(phases, bodies, strict=True)
    )
    if entry.options.enabled is not False:
        _report_idle(bodies, entry, chosen, report)
        report_needless_order(facts, entry, report)
    when = _when(entry, phases, report)
    return [
        Step(
            name=entry.name,
            kind=entry.kind.value,
            phase=phase,
            order=order,
            body=body,
            facts=own,
            limit=_limit(body, entry, chosen, limit, report),
            on_trouble=chosen.on_trouble,
            when=when,
            because=(FREE,) if own.free_order else (),
            origin=report.source.place(entry.span),
        )
        for phase, body, own in zip(phases, bodies, facts, strict=True)
    ]


def _limit(body: Body, entry: ChainEntry, chosen: Chosen, limit: Limit, report: Report) -> Limit:
    """What its own settings say, where they say it and something waits; else the gateway's."""
    policy = chosen.policy
    if not (isinstance(body, Ask) and isinstance(policy, Timed)) or policy.timeout_ms is None:
        return limit
    span = entry.span if chosen.block is None else chosen.block.span
    return Limit(policy.timeout_ms / 1000, origin=report.source.place(span))


def _when(entry: ChainEntry, phases: tuple[Phase, ...], report: Report) -> Filter | None:
    if entry.options.when is None and entry.options.conditions is None:
        return None
    from kt.compiler.applicability import when_of  # NOT: at the top. Few entries have a condition.

    return when_of(entry, phases, report)


def _report_idle(
    bodies: tuple[object, ...], entry: ChainEntry, chosen: Chosen, report: Report
) -> None:
    """Warn of what an entry says that nothing acts on: options, defaults, or all of it."""
    kind, block = entry.kind, chosen.block
    report_idle_options(bodies, entry, report)
    if block is None and entry.policy is None:
        # Nobody else asks a policy that runs on its defaults.
        defaults = Entry(Scalar(kind.value, kind.span, kind.value), Map((), kind.span))
        report_problems(report, chosen.policy, defaults)
    if any(isinstance(body, NotEnforced) for body in bodies):
        related = () if block is None else (Related("nothing reads its settings", block.span),)
        hint = "'gateway run' refuses it without --allow-unenforced"
        word = kind.value
        report.add("kind_not_enforced", kind.span, word=word, hint=hint, related=related)
