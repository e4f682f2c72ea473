"""`financial-compliance`: keep answers from being advice on money. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class FinancialCompliance:
    """Blocked phrases, and disclaimers in front of what sounds like advice."""

    KIND: ClassVar[str] = "financial-compliance"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    blocked_patterns: tuple[str, ...] = ()
    required_disclaimers: tuple[str, ...] = ()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers, may block them and puts text in front."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=True,
            edits=bool(self.required_disclaimers),
            streams=Streams.WHOLE,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="financial advice is not recognized and no disclaimer is added")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
