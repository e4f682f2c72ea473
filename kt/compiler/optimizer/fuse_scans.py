"""Join neighboring scans into one stage, for which the runtime looks in one pass over the text.

In: Program. Out: Program with the same steps in fewer stages. Never: joins what waits, what reads
redacted text, what has another limit, or what has no form of the text in common.
"""

import attrs

from kt.compiler.optimizer.commute import acts, waits_for_text, with_reason
from kt.compiler.program import PARTS, Program
from kt.plan import Scan, Stage, Step
from kt.policy import Cost, View


def fuse_scans(program: Program) -> Program:
    """Fuse each run of neighboring stages that only scan."""
    stages: list[Stage] = []
    for phase in PARTS:
        fused: list[Stage] = []
        for stage in program.phase(phase):
            if fused and _may_fuse(fused[-1], stage):
                fused[-1] = _fused(fused[-1], stage)
            else:
                fused.append(stage)
        stages += fused
    return attrs.evolve(program, stages=tuple(stages))


def _may_fuse(stage: Stage, other: Stage) -> bool:
    steps = (*stage.steps, *other.steps)
    # One pass has one clock: where limits differ, the pass would be late for some steps only.
    is_possible = all(map(_only_scans, steps)) and len({step.limit for step in steps}) == 1
    # Rules on different views share nothing: each view is made and searched by itself.
    return is_possible and bool(_views(stage) & _views(other))


def _only_scans(step: Step) -> bool:
    if not isinstance(step.body, Scan) or step.body.decode:
        return False  # what is decoded is another text for each step
    return step.facts.cost is Cost.INLINE and not acts(step.facts) and not waits_for_text(step)


def _views(stage: Stage) -> frozenset[View]:
    bodies = (step.body for step in stage.steps)
    return frozenset(rule.view for body in bodies if isinstance(body, Scan) for rule in body.rules)


def _fused(stage: Stage, other: Stage) -> Stage:
    names = ", ".join(step.name for step in stage.steps)
    other = with_reason(other, f"fused by fuse_scans: one pass with {names}")
    return Stage(steps=(*stage.steps, *other.steps), group=stage.group or other.group)
