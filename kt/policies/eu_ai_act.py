"""`eu-ai-act`: state the risk class of a system. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.plan import NotEnforced
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class EuAiAct:
    """The risk class, and the articles that apply."""

    KIND: ClassVar[str] = "eu-ai-act"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    risk_class: str | None = None
    articles: tuple[AnyValue, ...] = ()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads no text."""
        return Facts(surfaces=frozenset(), streams=Streams.NEVER)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="nothing follows from the risk class")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
