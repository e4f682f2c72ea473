"""`human-oversight`: let a person decide about some subjects. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import BlockOrEscalate
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class HumanOversight:
    """Subjects that need a person, and who that is."""

    KIND: ClassVar[str] = "human-oversight"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    action: BlockOrEscalate = BlockOrEscalate.ESCALATE
    require_human_for: tuple[str, ...] = ()
    confidence_threshold: float | None = None
    default_assignee: str | None = None
    timeout_seconds: int | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers, and may block or ask a person."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is BlockOrEscalate.BLOCK,
            has_effects=True,
            streams=Streams.WHOLE,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="subjects are not recognized and nobody is asked")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("confidence_threshold", self.confidence_threshold, 0, 1),
            *out_of_range("timeout_seconds", self.timeout_seconds, 1, 31_536_000),
        )
