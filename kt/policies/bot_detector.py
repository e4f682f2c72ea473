"""`bot-detector`: tell requests of programs from those of people. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import WarnOrBlock
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class BotDetector:
    """Count similar requests in a window of time."""

    KIND: ClassVar[str] = "bot-detector"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: WarnOrBlock = WarnOrBlock.WARN
    fingerprint_fields: tuple[str, ...] = ("user-agent", "x-forwarded-for", "authorization")
    profile_window_seconds: int = 60
    similarity_threshold: float = 0.9
    max_requests_per_window: int = 5

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, remembers it and blocks if its action says so."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is WarnOrBlock.BLOCK,
            keeps_state=True,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="requests are not compared with earlier ones")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("profile_window_seconds", self.profile_window_seconds, 1, 86_400),
            *out_of_range("similarity_threshold", self.similarity_threshold, 0, 1),
            *out_of_range("max_requests_per_window", self.max_requests_per_window, 1, 1_000_000),
        )
