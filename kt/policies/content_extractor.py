"""`content-extractor`: read what a request links to. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Cost, Facts, Phase, Sees, Streams


@attrs.frozen(kw_only=True)
class ContentExtractor:
    """A kind of which only the name and the purpose are known."""

    KIND: ClassVar[str] = "content-extractor"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)
    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    """Its settings are not documented where we could read them."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and asks over the network."""
        return Facts(
            surfaces=frozenset(Surface),
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="what a request links to is not read")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
