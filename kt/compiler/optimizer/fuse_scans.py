"""Join neighboring scans into one stage, for which the runtime looks in one pass over the text.

In: Program. Out: Program with the same steps in fewer stages. Never: joins what waits, what reads
redacted text, what has another limit, or what has no form of the text in common.
"""

from collections.abc import Sequence

import attrs

from kt.compiler.optimizer.commute import waits_for_text, with_reason
from kt.compiler.program import PARTS, Program
from kt.plan import Limit, Scan, Stage, Step
from kt.policy import Cost, View

MOST_NAMES = 3
"""How many of those that share a pass are named; the others are counted."""


def fuse_scans(program: Program) -> Program:
    """Fuse each run of neighboring stages that only scan."""
    stages = tuple(_fused(run) for phase in PARTS for run in _runs(program.phase(phase)))
    return attrs.evolve(program, stages=stages)


@attrs.frozen
class _Pass:
    """What scans must agree on to share a pass over the text."""

    limit: Limit
    """One pass has one clock: where limits differ, it would be late for some steps only."""
    views: frozenset[View]
    """Rules on different views share nothing: each view is made and searched by itself."""

    def with_other(self, other: "_Pass | None") -> "_Pass | None":
        """The pass of both, None where they share none."""
        if other is None or other.limit != self.limit or not other.views & self.views:
            return None
        return _Pass(self.limit, self.views | other.views)


def _runs(stages: Sequence[Stage]) -> list[list[Stage]]:
    """The stages, those together that may share a pass."""
    runs: list[list[Stage]] = []
    shared: _Pass | None = None
    for stage in stages:
        own = _pass_of(stage)
        joined = shared and shared.with_other(own)
        if joined:
            runs[-1].append(stage)
        else:
            runs.append([stage])
        shared = joined or own
    return runs


def _pass_of(stage: Stage) -> _Pass | None:
    """What a stage needs of its pass, None where it is not only scans with one clock."""
    limits = {step.limit for step in stage.steps}
    if len(limits) > 1 or not all(map(_only_scans, stage.steps)):
        return None
    bodies = (step.body for step in stage.steps)
    rules = (rule for body in bodies if isinstance(body, Scan) for rule in body.rules)
    return _Pass(limits.pop(), frozenset(rule.view for rule in rules))


def _only_scans(step: Step) -> bool:
    if not isinstance(step.body, Scan) or step.body.decode:
        return False  # what is decoded is another text for each step
    return step.facts.cost is Cost.INLINE and not step.facts.acts and not waits_for_text(step)


def _fused(run: Sequence[Stage]) -> Stage:
    """One stage of a run; each step that joins it names those before it."""
    steps: list[Step] = []
    for stage in run:
        joining = with_reason(stage, _reason(steps)) if steps else stage
        steps += joining.steps
    groups = (stage.group for stage in run if stage.group)
    return Stage(steps=tuple(steps), group=next(groups, None))


def _reason(steps: Sequence[Step]) -> str:
    names = ", ".join(step.name for step in steps[:MOST_NAMES])
    others = len(steps) - MOST_NAMES
    more = f" and {others} more" if others > 0 else ""
    return f"fused by fuse_scans: one pass with {names}{more}"
