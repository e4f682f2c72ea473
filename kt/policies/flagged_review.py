"""`flagged-review`: keep flagged answers for a person. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class FlaggedReview:
    """A kind of which only the name and the purpose are known."""

    KIND: ClassVar[str] = "flagged-review"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)
    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    """Its settings are not documented where we could read them."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers and writes to the outside."""
        return Facts(surfaces=frozenset(Surface), has_effects=True, streams=Streams.WHOLE)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="nothing is kept for review")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
