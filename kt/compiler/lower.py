"""Lower a program to the plan: stages, the audit apart, and the engines it was made for."""

from importlib.metadata import version

from kt.compiler.program import Program
from kt.plan import Plan, Stage, Step
from kt.policy import Phase

DIALECT = 1
"""The meaning of rule patterns (docs/decisions/001, 002). Raise it when a verdict may change."""


def lower(program: Program) -> Plan:
    """Decide everything that the runtime would otherwise have to look up."""
    return Plan(
        name=program.name,
        version=program.version,
        enabled=program.enabled,
        engines=(("google-re2", version("google-re2")), ("kt-pattern-dialect", str(DIALECT))),
        input=_stages(program.phase(Phase.INPUT)),
        # Tool calls stand in answers, so what judges them works there.
        output=_stages((*program.phase(Phase.TOOL), *program.phase(Phase.OUTPUT))),
        audit=program.phase(Phase.AUDIT),
        targets=program.targets,
        listen_port=program.listen_port,
        timeouts=program.timeouts,
        admission=program.admission,
        sizes=program.sizes,
        keep_answer_whole=program.keep_answer_whole,
        server_timing=program.server_timing,
    )


def _stages(steps: tuple[Step, ...]) -> tuple[Stage, ...]:
    """One stage per step: steps that share one come with `parallel_group`."""
    return tuple(Stage(steps=(step,)) for step in steps)
