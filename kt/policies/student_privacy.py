"""`student-privacy`: protect what identifies a pupil or student. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class StudentPrivacy:
    """Data of pupils and students, and their age."""

    KIND: ClassVar[str] = "student-privacy"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: RedactOrBlock = RedactOrBlock.REDACT
    age_gate: bool = False

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is RedactOrBlock.BLOCK,
            edits=self.action is RedactOrBlock.REDACT,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="students' data is not looked for")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
