"""`external-moderation`: ask a moderation service, with redacted text, and do what it says."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Ask, NotEnforced, SecretFrom, SecretRef, is_endpoint
from kt.policies.problem import Problem, not_enforced, out_of_range
from kt.policy import ACTING, Action, Cost, Facts, Phase, Sees, Streams

_SECRET = re.compile(r"[A-Za-z0-9_.-]{1,200}")
MESSAGE = "blocked: a moderation service refused it"


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
        """State that it sends redacted text over the network, and acts as the service says."""
        acts = self.action in ACTING
        return Facts(
            surfaces=frozenset(Surface),
            can_block=acts,
            edits=acts,
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        )

    def body(self, phase: Phase) -> Ask | NotEnforced:
        """Lower to a question, where there is somebody to ask whose language is spoken."""
        if self.provider is not Moderator.WEBHOOK:
            return NotEnforced(reason=f"{self.provider.value} is not asked yet, only webhook is")
        if self.endpoint is None:
            return NotEnforced(reason="no moderation service is asked: it has no endpoint")
        name = self.secret_key_ref
        return Ask(
            endpoint=self.endpoint,
            secret=None if name is None else SecretRef(source=SecretFrom.ENV, name=name),
            action=self.action,
            categories=self.categories,
            threshold=self.threshold,
            message=f"{phase.subject} {MESSAGE}",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report what cannot be used, and what is not asked."""
        return (
            *out_of_range("threshold", self.threshold, 0, 1),
            *out_of_range("timeout_ms", self.timeout_ms, 1, 60_000),
            *self._unusable(),
            *self._unasked(),
        )

    def _unusable(self) -> Iterator[Problem]:
        if self.endpoint is not None and not is_endpoint(self.endpoint):
            message = "'endpoint' is not a URL that can be asked"
            hint = "write https://host/path, without a query; a key goes into secret_key_ref"
            yield Problem(field="endpoint", code_name="not_usable", message=message, hint=hint)
        if self.secret_key_ref is not None and not _SECRET.fullmatch(self.secret_key_ref):
            message = "'secret_key_ref' is not the name of an environment variable"
            hint = "write the name, never the key"
            yield Problem(
                field="secret_key_ref", code_name="not_usable", message=message, hint=hint
            )

    def _unasked(self) -> Iterator[Problem]:
        if self.provider is not Moderator.WEBHOOK:
            hint = "only 'webhook' is asked so far; put the service behind one"
            yield from not_enforced("provider", self.provider, hint)
        elif self.endpoint is None:
            message = "no service is asked"
            hint = "give it an endpoint"
            yield Problem(
                field="endpoint", code_name="empty", message=message, hint=hint, is_warning=True
            )
