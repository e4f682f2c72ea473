"""The program: the plan's parts, every name resolved, in an order that rules may change."""

import attrs

from kt.plan import Admission, Sizes, Step, Target, Timeouts
from kt.policy import Phase


@attrs.frozen(kw_only=True)
class Program:
    """Everything that is decided before the optimizer and stays as it is, and the steps."""

    name: str
    version: str
    enabled: bool
    steps: tuple[Step, ...]
    """Of all phases; the steps of one phase start in this order."""
    targets: tuple[Target, ...]
    listen_port: int
    timeouts: Timeouts
    admission: Admission
    sizes: Sizes
    keep_answer_whole: bool
    server_timing: bool

    def phase(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of one phase, in order."""
        return tuple(step for step in self.steps if step.phase is phase)


@attrs.frozen
class Change:
    """What one rule did to the order of one phase: step names before and after."""

    rule: str
    phase: Phase
    before: tuple[str, ...]
    after: tuple[str, ...]
