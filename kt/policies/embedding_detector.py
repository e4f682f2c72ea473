"""`embedding-detector`: find text that is close in meaning to reference texts. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Sees, Streams


class EmbeddingBackend(Enum):
    """Who computes embeddings."""

    LOCAL = "local"
    EXTERNAL = "external"


@attrs.frozen(kw_only=True)
class Category:
    """One meaning that is looked for."""

    label: str
    reference_text: str


@attrs.frozen(kw_only=True)
class EmbeddingDetector:
    """Compare embeddings with those of reference texts."""

    KIND: ClassVar[str] = "embedding-detector"
    PHASES: ClassVar[tuple[Phase, ...]] = (
        Phase.INPUT,
        Phase.OUTPUT,
    )

    action: RedactOrBlock = RedactOrBlock.REDACT
    backend: EmbeddingBackend = EmbeddingBackend.LOCAL
    endpoint: str = "http://localhost:8080/embed"
    model: str = "all-MiniLM-L6-v2"
    api_key: str | None = attrs.field(default=None, repr=False)
    similarity_threshold: float = 0.7
    timeout_ms: int = 20
    categories: tuple[Category, ...] = ()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole texts, and blocks or edits as its action says."""
        is_external = self.backend is EmbeddingBackend.EXTERNAL
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is RedactOrBlock.BLOCK,
            edits=self.action is RedactOrBlock.REDACT,
            cost=Cost.NETWORK if is_external else Cost.THREAD,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED if is_external else Sees.ORIGINAL,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="no embeddings are compared")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("similarity_threshold", self.similarity_threshold, 0, 1),
            *out_of_range("timeout_ms", self.timeout_ms, 1, 60_000),
        )
