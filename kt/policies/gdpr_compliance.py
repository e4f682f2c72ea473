"""`gdpr-compliance`: demand consent, and pass on requests to erase. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Streams


@attrs.frozen(kw_only=True)
class GdprCompliance:
    """Consent by header, and a webhook for erasure."""

    KIND: ClassVar[str] = "gdpr-compliance"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    consent_required: bool = True
    consent_header: str = "x-consent-token"
    consent_verification_endpoint: str | None = None
    erasure_webhook: str | None = None
    data_categories: tuple[str, ...] = ("personal", "sensitive", "biometric")
    retention_days: int = 30

    def facts(self, phase: Phase) -> Facts:
        """State that it reads no text, may block, asks over the network and has effects there."""
        return Facts(
            surfaces=frozenset(),
            can_block=self.consent_required,
            has_effects=self.erasure_webhook is not None,
            cost=Cost.NETWORK if self.consent_verification_endpoint else Cost.INLINE,
            streams=Streams.NEVER,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="consent is not demanded")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("retention_days", self.retention_days, 0, 36_500)
