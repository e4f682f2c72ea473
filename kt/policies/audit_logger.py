"""`audit-logger`: write one line per request, after the answer."""

from typing import ClassVar

import attrs

from kt.plan import Record
from kt.policies.problem import Problem, not_enforced, out_of_range
from kt.policy import Facts, Phase, Streams

DAYS = (1, 36500)
"""The least and the most that `retention_days` may say."""


@attrs.frozen(kw_only=True)
class AuditLogger:
    """Record who asked for what and how it ended; never the text."""

    KIND: ClassVar[str] = "audit-logger"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.AUDIT,)

    immutable: bool | None = None
    """Not enforced yet. The product's default is true."""
    retention_days: int | None = None
    """Not enforced yet: nothing deletes lines. The product's default is 365."""
    hipaa_audit_controls: bool | None = None
    """Not enforced yet. The product's default is false."""
    destination: str | None = None
    """Not enforced yet: `kt gateway run` says where the log is."""
    log_all_access: bool = True
    """False: write only the requests that ended in something else than allow."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads no text and writes to the outside, in whatever phase."""
        return Facts(surfaces=frozenset(), has_effects=True, streams=Streams.NEVER)

    def body(self, phase: Phase) -> Record:
        """Lower to a record; the phase makes no difference."""
        return Record(log_all_access=self.log_all_access)

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range and what is not enforced yet."""
        return (
            *out_of_range("retention_days", self.retention_days, *DAYS),
            *not_enforced(
                "immutable", self.immutable, "make the file append-only where it is stored"
            ),
            *not_enforced(
                "retention_days", self.retention_days, "rotate the file where it is stored"
            ),
            *not_enforced(
                "hipaa_audit_controls",
                self.hipaa_audit_controls,
                "every line already names user, time, policy and outcome",
            ),
            *not_enforced(
                "destination", self.destination, "lines go to audit.jsonl in the state directory"
            ),
        )
