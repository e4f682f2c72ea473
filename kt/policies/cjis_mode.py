"""`cjis-mode`: demand what criminal justice information asks for. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class CjisMode:
    """A signed-in user, and a record of every access."""

    KIND: ClassVar[str] = "cjis-mode"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    require_auth: bool | None = None
    access_logging: bool | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it reads no text, may block and writes to the outside."""
        return Facts(
            surfaces=frozenset(),
            can_block=True,
            has_effects=True,
            streams=Streams.NEVER,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="sign-in is not demanded; audit-logger records accesses")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
