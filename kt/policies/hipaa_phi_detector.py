"""`hipaa-phi-detector`: find identifiers of patients, and take them out or block."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.plan import Scan
from kt.policies.actions import RedactOrBlock
from kt.policies.identifiers import identifier_facts, identifier_scan, not_found
from kt.policies.problem import Problem, not_enforced
from kt.policies.rules.personal_data import (
    BANK_ACCOUNT,
    DATE_OF_BIRTH,
    DRIVER_LICENSE,
    EMAIL,
    HEALTH,
    IP,
    PHONE,
    SSN,
    URL,
    VEHICLE_ID,
)
from kt.policy import Facts, Phase

FOUND = (
    *(EMAIL, PHONE, SSN, *HEALTH, BANK_ACCOUNT),
    *(DATE_OF_BIRTH, DRIVER_LICENSE, VEHICLE_ID, URL, IP),
)
"""Of the eighteen identifiers those that a pattern can tell."""


class HipaaMode(Enum):
    """Which list of identifiers is meant."""

    HIPAA_18 = "hipaa_18"


@attrs.frozen(kw_only=True)
class HipaaPhiDetector:
    """The identifiers that the Safe Harbor method removes, as far as patterns find them."""

    KIND: ClassVar[str] = "hipaa-phi-detector"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT, Phase.OUTPUT)

    mode: HipaaMode = HipaaMode.HIPAA_18
    action: RedactOrBlock = RedactOrBlock.REDACT
    safe_harbor_method: bool = True

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return identifier_facts(self.action)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan, the same for requests and answers."""
        return identifier_scan("hipaa", FOUND, self.action, phase, "health identifiers")

    def problems(self) -> tuple[Problem, ...]:
        """Report which of the eighteen are not found, and another method."""
        other = None if self.safe_harbor_method else False
        return (
            not_found("", "names, addresses, other dates, device ids and images are"),
            *not_enforced("safe_harbor_method", other, "identifiers are removed all the same"),
        )
