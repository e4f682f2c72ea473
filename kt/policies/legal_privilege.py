"""`legal-privilege`: find what is between lawyer and client. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class LegalPrivilege:
    """Markers of privileged text."""

    KIND: ClassVar[str] = "legal-privilege"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: BlockOnly = BlockOnly.BLOCK
    privilege_markers: tuple[str, ...] = ()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="these markers are not looked for; dlp-filter takes terms")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
