"""`document-analyzer`: judge the documents of a request by kind and size. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase, Streams

GIGABYTE = 2**30


@attrs.frozen(kw_only=True)
class DocumentAnalyzer:
    """The types and the size that a document may have."""

    KIND: ClassVar[str] = "document-analyzer"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    enabled: bool = True
    sanitize_code: bool = False
    max_document_bytes: int = 524_288
    allowed_mime_types: tuple[str, ...] = ()
    """None listed means any."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, may block and may clean code."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=True,
            edits=self.sanitize_code,
            streams=Streams.WHOLE,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="documents are not opened")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return out_of_range("max_document_bytes", self.max_document_bytes, 1, GIGABYTE)
