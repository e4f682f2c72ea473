"""`external-moderation`: ask a moderation service. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Action, Cost, Facts, Phase, Sees, Streams


class Moderator(Enum):
    """The service that is asked."""

    WEBHOOK = "webhook"
    OPENAI_MODERATION = "openai-moderation"
    AZURE_CONTENT_SAFETY = "azure-content-safety"
    BEDROCK_APPLY_GUARDRAIL = "bedrock-apply-guardrail"
    EMBEDDING_ENDPOINT = "embedding-endpoint"
    PRESIDIO = "presidio"
    GUARDRAILS_AI = "guardrails-ai"
    DYNAMO_AI = "dynamo-ai"
    LAKERA = "lakera"


@attrs.frozen(kw_only=True)
class ExternalModeration:
    """The judgment of a service over the network."""

    KIND: ClassVar[str] = "external-moderation"
    PHASES: ClassVar[tuple[Phase, ...]] = (
        Phase.INPUT,
        Phase.OUTPUT,
    )

    action: Action = Action.BLOCK
    provider: Moderator = Moderator.WEBHOOK
    secret_key_ref: str | None = None
    """The name of an environment variable."""
    endpoint: str | None = None
    categories: tuple[str, ...] = ()
    threshold: float = 0.5
    timeout_ms: int | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it sends redacted text over the network and does what its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is Action.BLOCK,
            edits=self.action is Action.REDACT,
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="no moderation service is asked")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("threshold", self.threshold, 0, 1),
            *out_of_range("timeout_ms", self.timeout_ms, 1, 60_000),
        )
