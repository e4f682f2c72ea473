"""`dual-use-filter`: find subjects with a military use. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class DualUseFilter:
    """Terms of goods and methods that have two uses."""

    KIND: ClassVar[str] = "dual-use-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: RedactOrBlock = RedactOrBlock.BLOCK
    blocked_terms: tuple[str, ...] = ()
    fuzzy_matching: bool = False
    max_distance: int = 1
    """How many characters of a word may differ, 0 to 8."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is RedactOrBlock.BLOCK,
            edits=self.action is RedactOrBlock.REDACT,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="these terms are not looked for; dlp-filter takes terms")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("max_distance", self.max_distance, 0, 8)
