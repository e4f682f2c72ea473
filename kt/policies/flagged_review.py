"""`flagged-review`: let a model judge what other policies flagged. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Sees, Streams


class ReviewMode(Enum):
    """What follows from the judgment."""

    JUDGE = "judge"
    REVIEW_AND_RETURN = "review_and_return"
    AUDIT_ONLY = "audit_only"
    ESCALATE = "escalate"


@attrs.frozen(kw_only=True)
class Reviewer:
    """The model that judges."""

    name: str | None = None
    endpoint: str | None = None
    model: str | None = None
    secret_key_ref: AnyValue | None = None
    timeout_ms: int | None = None


@attrs.frozen(kw_only=True)
class FlaggedReview:
    """A second opinion on what was flagged."""

    KIND: ClassVar[str] = "flagged-review"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    mode: ReviewMode = ReviewMode.JUDGE
    provider: Reviewer = Reviewer()
    recursion_depth_max: int = 1
    provider_isolation: bool = True
    rationale_capture: bool = False

    def facts(self, phase: Phase) -> Facts:
        """State that it sends redacted text over the network and may block."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.mode is ReviewMode.JUDGE,
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="no model reviews what was flagged")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("provider.timeout_ms", self.provider.timeout_ms, 1, 60_000),
            *out_of_range("recursion_depth_max", self.recursion_depth_max, 0, 10),
        )
