"""`hipaa-phi-detector`: find health data that identifies a person. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem
from kt.policy import Facts, Phase


class HipaaMode(Enum):
    """Which list of identifiers is meant."""

    HIPAA_18 = "hipaa_18"


@attrs.frozen(kw_only=True)
class HipaaPhiDetector:
    """The eighteen identifiers that the Safe Harbor method removes."""

    KIND: ClassVar[str] = "hipaa-phi-detector"
    PHASES: ClassVar[tuple[Phase, ...]] = (
        Phase.INPUT,
        Phase.OUTPUT,
    )

    mode: HipaaMode = HipaaMode.HIPAA_18
    action: RedactOrBlock = RedactOrBlock.REDACT
    safe_harbor_method: bool = True

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is RedactOrBlock.BLOCK,
            edits=self.action is RedactOrBlock.REDACT,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="health identifiers are not looked for")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
