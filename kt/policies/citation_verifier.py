"""`citation-verifier`: check that an answer names sources that exist. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Sees, Streams


class CitationAction(Enum):
    """What is done with an answer whose sources do not hold."""

    ALLOW = "allow"
    FLAG = "flag"
    WARN = "warn"
    ESCALATE = "escalate"
    BLOCK = "block"


@attrs.frozen(kw_only=True)
class OutputAction:
    """What is done, by how bad it is."""

    unverified_action: CitationAction | None = None
    hallucination_action: CitationAction | None = None


@attrs.frozen(kw_only=True)
class VerificationResponse:
    """What the client gets to see of it."""

    include_verification_report: bool | None = None


@attrs.frozen(kw_only=True)
class CitationVerifier:
    """What counts as a source, and what happens without one."""

    KIND: ClassVar[str] = "citation-verifier"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    require_sources: bool = True
    require_source_match: bool = False
    min_confidence: float = 0.8
    min_groundedness: float | None = None
    min_citation_coverage: float | None = None
    """The generic dialect's word for how much needs a source."""
    knowledge_base: str | None = None
    external_resolver: AnyValue | None = None
    extract_patterns: tuple[str, ...] = ("academic", "url", "quote")
    action: CitationAction | None = None
    """The generic dialect's word for both actions of `output_action`."""
    output_action: OutputAction = OutputAction()
    response: VerificationResponse = VerificationResponse()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers, and blocks only where an action says so."""
        chosen = (self.action, *attrs.astuple(self.output_action))
        return Facts(
            surfaces=frozenset(Surface),
            can_block=CitationAction.BLOCK in chosen,
            cost=Cost.INLINE if self.external_resolver is None else Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.ORIGINAL if self.external_resolver is None else Sees.REDACTED,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="sources are not looked up")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("min_confidence", self.min_confidence, 0, 1),
            *out_of_range("min_groundedness", self.min_groundedness, 0, 1),
            *out_of_range("min_citation_coverage", self.min_citation_coverage, 0, 1),
        )
