"""`mnpi-filter`: find what only insiders of a company know. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class MnpiFilter:
    """Patterns of material that is not public."""

    KIND: ClassVar[str] = "mnpi-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: BlockOnly = BlockOnly.BLOCK
    detect_patterns: tuple[str, ...] = ()
    """Looked for beside the built-in ones."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="these patterns are not looked for; dlp-filter takes patterns")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
