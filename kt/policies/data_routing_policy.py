"""`data-routing-policy`: which providers may get a request, by what they keep. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Action, Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class DataRoutingPolicy:
    """Demands on the data policy of a target; it never looks at the text."""

    KIND: ClassVar[str] = "data-routing-policy"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: Action = Action.BLOCK
    require_zero_data_retention: bool = False
    require_no_training: bool = False
    max_retention_days: int | None = None
    on_no_compliant_provider: str | None = None
    log_provider_selection: bool | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it reads no text and may block."""
        return Facts(surfaces=frozenset(), can_block=True, streams=Streams.NEVER)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="targets are not chosen by their data policy")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("max_retention_days", self.max_retention_days, 0, 36_500)
