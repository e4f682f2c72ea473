"""`language-validator`: which languages requests and answers may have. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Action, Cost, Facts, Phase, Streams


class AppliesTo(Enum):
    """Which texts are looked at."""

    INPUT = "input"
    OUTPUT = "output"
    BOTH = "both"


@attrs.frozen(kw_only=True)
class LanguageValidator:
    """Lists of languages; a denied one stays denied."""

    KIND: ClassVar[str] = "language-validator"
    PHASES: ClassVar[tuple[Phase, ...]] = (
        Phase.INPUT,
        Phase.OUTPUT,
    )

    action: Action = Action.BLOCK
    allowed_languages: tuple[str, ...] = ()
    denied_languages: tuple[str, ...] = ()
    min_confidence: float | None = None
    apply_to: AppliesTo = AppliesTo.BOTH

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole texts and does what its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is Action.BLOCK,
            edits=self.action is Action.REDACT,
            cost=Cost.THREAD,
            streams=Streams.WHOLE,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="languages are not told apart")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("min_confidence", self.min_confidence, 0, 1)
