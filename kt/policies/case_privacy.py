"""`case-privacy`: protect what identifies a case before a court. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class CasePrivacy:
    """A kind of which only the name and the purpose are known."""

    KIND: ClassVar[str] = "case-privacy"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)
    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    """Its settings are not documented where we could read them."""

    def facts(self, phase: Phase) -> Facts:
        """State that it may read, block and edit everything: what it does is not documented."""
        return Facts(surfaces=frozenset(Surface), can_block=True, edits=True, streams=Streams.WHOLE)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="cases are not recognized")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
