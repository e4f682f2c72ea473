"""`bias-monitor`: find answers that treat people unequally. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Action, Cost, Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class BiasMonitor:
    """Protected characteristics, and how much is too much."""

    KIND: ClassVar[str] = "bias-monitor"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    action: Action = Action.ESCALATE
    protected_characteristics: tuple[str, ...] = ()
    threshold: float | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers and does what its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is Action.BLOCK,
            edits=self.action is Action.REDACT,
            cost=Cost.THREAD,
            streams=Streams.WHOLE,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="answers are not compared")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("threshold", self.threshold, 0, 1)
