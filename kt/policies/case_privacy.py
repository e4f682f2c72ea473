"""`case-privacy`: find what identifies a case before a court, and take it out or block."""

from typing import ClassVar

import attrs

from kt.plan import Scan
from kt.policies.actions import RedactOrBlock
from kt.policies.identifiers import identifier_facts, identifier_scan, not_found
from kt.policies.problem import Problem
from kt.policies.rules.personal_data import (
    CASE_NUMBER,
    DATE_OF_BIRTH,
    DRIVER_LICENSE,
    EMAIL,
    PHONE,
    SSN,
)
from kt.policy import Facts, Phase

FOUND = (CASE_NUMBER, DATE_OF_BIRTH, SSN, DRIVER_LICENSE, EMAIL, PHONE)


@attrs.frozen(kw_only=True)
class CasePrivacy:
    """Numbers of cases, and identifiers of those whom they are about."""

    KIND: ClassVar[str] = "case-privacy"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)
    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    """Its other settings are not documented where we could read them."""

    action: RedactOrBlock = RedactOrBlock.REDACT

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return identifier_facts(self.action)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan."""
        return identifier_scan("case", FOUND, self.action, phase, "data of a case")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is not found."""
        return (not_found("", "names, addresses and what happened are"),)
