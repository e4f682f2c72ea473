"""Analyse a configuration: run the checks and resolve every name, limit and step.

In: Config. Out: Program in declared order. Never: a default that is not written down with its
origin, a reordering.
"""

from kt.compiler.blocks import Kinds, report_problems
from kt.compiler.checks import CHECKS
from kt.compiler.limits import resolve_admission, resolve_sizes, resolve_timeouts
from kt.compiler.model import Block, ChainEntry, Config
from kt.compiler.overrides import facts_of, overruled, report_idle_options
from kt.compiler.phases import phases_of
from kt.compiler.program import Program
from kt.compiler.settings import Settings
from kt.compiler.targets import resolve_targets
from kt.compiler.tree import Entry, Map, Scalar
from kt.diagnostics import Related, Report
from kt.plan import DEFAULT_PORT, Limit, NotEnforced, Stage, Step
from kt.policy import OnTrouble

NAMELESS = ("unnamed", "0.0.0", True)
"""Name, version and switch of a fragment, which has no `pack`."""


def analyse(config: Config, kinds: Kinds, settings: Settings, report: Report) -> Program:
    """Resolve everything; problems are reported, and the value then means nothing."""
    for check in CHECKS:
        check(config, kinds, report)
    gateway = config.gateway
    pack = config.pack
    identity = (pack.name.value, pack.version.value, pack.enabled) if pack else NAMELESS
    timeouts = resolve_timeouts(gateway, report)
    return Program(
        name=identity[0],
        version=identity[1],
        enabled=identity[2],
        stages=tuple(
            Stage(steps=(step,))
            for step in _steps(config, kinds, settings, report, timeouts.policy)
        ),
        targets=resolve_targets(config, settings, report),
        listen_port=DEFAULT_PORT if gateway.listen_port is None else gateway.listen_port.value,
        timeouts=timeouts,
        admission=resolve_admission(gateway, settings, report),
        sizes=resolve_sizes(gateway, report),
        keep_answer_whole=gateway.streaming.passthrough_chunked is False,
        server_timing=gateway.server_timing is not False,
    )


def _steps(
    config: Config, kinds: Kinds, settings: Settings, report: Report, limit: Limit
) -> tuple[Step, ...]:
    """One step per chain entry and phase, in declared order."""
    if report.errors:
        return ()  # a kind's body may be asked for only where its settings are right
    blocks = {block.kind: block for block in config.policy}
    steps = []
    for order, entry in enumerate(config.policies.chain):
        kind = entry.kind.value
        if entry.options.enabled is False:
            continue
        block = None if entry.policy is not None else blocks.get(kind)
        policy = entry.policy or (kinds[kind]() if block is None else block.policy)
        own = entry.on_trouble or (None if block is None else block.on_trouble)
        phases = phases_of(entry, kinds)
        bodies = tuple(overruled(policy.body(phase), entry) for phase in phases)
        report_idle_options(bodies, entry, report)
        entered = [
            Step(
                name=entry.name,
                kind=kind,
                phase=phase,
                order=order,
                body=body,
                facts=facts_of(body, policy.facts(phase)),
                limit=limit,
                on_trouble=own or settings.fail_mode or OnTrouble.BLOCK,
                origin=report.source.place(entry.span),
            )
            for phase, body in zip(phases, bodies, strict=True)
        ]
        if (
            block is None and entry.policy is None
        ):  # nobody else asks a policy that runs on its defaults
            here = Entry(Scalar(kind, entry.kind.span, kind), Map((), entry.kind.span))
            report_problems(report, policy, here)
        _report_idle(entered, entry, block, report)
        steps += entered
    return tuple(steps)


def _report_idle(steps: list[Step], entry: ChainEntry, block: Block | None, report: Report) -> None:
    """Warn of an entry that nothing performs yet, and of its settings with it."""
    if not any(isinstance(step.body, NotEnforced) for step in steps):
        return
    related = () if block is None else (Related("nothing reads its settings", block.span),)
    hint = "'gateway run' refuses it without --allow-unenforced"
    word = entry.kind.value
    report.add("kind_not_enforced", entry.kind.span, word=word, hint=hint, related=related)
