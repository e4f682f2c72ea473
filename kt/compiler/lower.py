"""Lower a program to the plan: stages, the audit apart, and the engines it was made for."""

from kt.compiler.engines import installed_engines, rule_lists
from kt.compiler.program import Program
from kt.plan import Plan
from kt.policy import Phase


def lower(program: Program) -> Plan:
    """Decide everything that the runtime would otherwise have to look up."""
    return Plan(
        name=program.name,
        version=program.version,
        enabled=program.enabled,
        engines=installed_engines(),
        rule_lists=rule_lists(),
        input=program.phase(Phase.INPUT),
        output=program.phase(Phase.OUTPUT),
        audit=tuple(step for stage in program.phase(Phase.AUDIT) for step in stage.steps),
        targets=program.targets,
        connecting=program.connecting,
        routing=program.routing,
        listen_port=program.listen_port,
        edge=program.edge,
        timeouts=program.timeouts,
        admission=program.admission,
        sizes=program.sizes,
        access=program.access,
        passthrough=program.passthrough,
        streaming=program.streaming,
        keep_answer_whole=program.keep_answer_whole,
        server_timing=program.server_timing,
        variables=program.variables,
    )
