"""`upl-filter`: keep answers from being legal advice. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class UplFilter:
    """Blocked phrases, a disclaimer, or a rewrite to general information."""

    KIND: ClassVar[str] = "upl-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    blocked_patterns: tuple[str, ...] = ()
    """Looked for beside the built-in ones."""
    require_disclaimer: bool = True
    rewrite_to_educational: bool = False
    """Wins over a block."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers, blocks or rewrites them, and puts text in front."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=not self.rewrite_to_educational,
            edits=self.require_disclaimer or self.rewrite_to_educational,
            streams=Streams.WHOLE,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="legal advice is not told from information")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
