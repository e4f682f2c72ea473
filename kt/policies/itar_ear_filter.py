"""`itar-ear-filter`: find export-controlled subjects. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class ItarEarFilter:
    """Terms of the munitions and commerce lists, and own ones."""

    KIND: ClassVar[str] = "itar-ear-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (
        Phase.INPUT,
        Phase.OUTPUT,
    )

    action: BlockOnly = BlockOnly.BLOCK
    blocked_terms: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    fuzzy_matching: bool = False
    max_distance: int = 1
    """How many characters of a word may differ, 0 to 8."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="controlled subjects are not looked for; dlp-filter takes terms")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("max_distance", self.max_distance, 0, 8)
