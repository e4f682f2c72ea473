"""`cost-guard`: refuse a request that would cost too much. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase, Streams

MOST = 1_000_000_000


@attrs.frozen(kw_only=True)
class CostGuard:
    """The most that one request may use."""

    KIND: ClassVar[str] = "cost-guard"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    max_tokens_per_request: int | None = None
    max_cost_per_request_usd: float | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it reads no text and may block."""
        return Facts(surfaces=frozenset(), can_block=True, streams=Streams.NEVER)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="tokens and costs are not estimated")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("max_tokens_per_request", self.max_tokens_per_request, 1, MOST),
            *out_of_range("max_cost_per_request_usd", self.max_cost_per_request_usd, 0, MOST),
        )
