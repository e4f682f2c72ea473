"""Analyse a configuration: run the checks and resolve every name, limit and step.

In: Config. Out: Program in declared order. Never: a default that is not written down with its
origin, a reordering.
"""

from kt.compiler.access import resolve_access
from kt.compiler.blocks import Kinds
from kt.compiler.checks import CHECKS
from kt.compiler.connections import resolve_connecting
from kt.compiler.limits import resolve_admission, resolve_sizes, resolve_timeouts
from kt.compiler.model import Config
from kt.compiler.passthrough import resolve_passthrough
from kt.compiler.program import Program
from kt.compiler.routing import resolve_routing
from kt.compiler.settings import Settings
from kt.compiler.steps import disabled_in, stages_of
from kt.compiler.streaming import resolve_streaming
from kt.compiler.targets import resolve_targets
from kt.diagnostics import Report
from kt.plan import DEFAULT_PORT, Edge

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
    targets = resolve_targets(config, settings, report)
    stages = stages_of(config, kinds, settings, report, timeouts.policy)
    return Program(
        name=identity[0],
        version=identity[1],
        enabled=identity[2],
        stages=stages,
        disabled=disabled_in(config),
        targets=targets,
        routing=resolve_routing(config, targets, report),
        connecting=resolve_connecting(gateway, targets, report),
        listen_port=DEFAULT_PORT if gateway.listen_port is None else gateway.listen_port.value,
        edge=gateway.edge or Edge.LLHTTP,
        timeouts=timeouts,
        admission=resolve_admission(gateway, settings, report),
        sizes=resolve_sizes(config, report),
        access=resolve_access(config, report),
        passthrough=resolve_passthrough(gateway, report),
        streaming=resolve_streaming(gateway, stages, report),
        keep_answer_whole=gateway.streaming.passthrough_chunked is False,
        server_timing=gateway.server_timing is not False,
    )
