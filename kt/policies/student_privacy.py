"""`student-privacy`: find what identifies a pupil or student, and take it out or block."""

from typing import ClassVar

import attrs

from kt.plan import Scan
from kt.policies.actions import RedactOrBlock
from kt.policies.identifiers import identifier_facts, identifier_scan, not_found
from kt.policies.problem import Problem, not_enforced
from kt.policies.rules.personal_data import DATE_OF_BIRTH, EMAIL, PHONE, SSN, STUDENT_ID
from kt.policy import Facts, Phase

FOUND = (STUDENT_ID, DATE_OF_BIRTH, EMAIL, PHONE, SSN)


@attrs.frozen(kw_only=True)
class StudentPrivacy:
    """Identifiers of pupils and students, as far as patterns find them."""

    KIND: ClassVar[str] = "student-privacy"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: RedactOrBlock = RedactOrBlock.REDACT
    age_gate: bool = False
    """Not enforced yet: nobody's age is known."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return identifier_facts(self.action)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan."""
        return identifier_scan("student", FOUND, self.action, phase, "data of students")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is not found, and the gate."""
        return (
            not_found("", "names, addresses, grades and classes are"),
            *not_enforced("age_gate", self.age_gate or None, "nobody's age is known"),
        )
