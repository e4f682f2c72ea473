"""The policy kinds: one kind = one file = its model, its facts, its body.

A kind is a frozen model whose fields are the keys of `policy.<kind>`. The compiler reads it, orders
it by its facts and lowers it; the runtime only ever sees the body.
"""

from typing import ClassVar, Protocol

from kt.plan import Record, Scan
from kt.policies.audit_logger import AuditLogger
from kt.policies.pii_detector import PiiDetector
from kt.policies.problem import Problem
from kt.policies.prompt_injection import PromptInjection
from kt.policy import Facts, Phase


class PolicyKind(Protocol):
    """What every kind offers."""

    KIND: ClassVar[str]
    """Its canonical name, with hyphens."""
    PHASES: ClassVar[tuple[Phase, ...]]
    """Where a chain entry of it runs when it names no stage."""

    def facts(self, phase: Phase) -> Facts:
        """State what the compiler may know of it."""

    def body(self, phase: Phase) -> Scan | Record:
        """Lower to what the runtime runs. Call it only where `problems` has no error."""

    def problems(self) -> tuple[Problem, ...]:
        """Report everything that types alone cannot say, errors and warnings."""


KINDS: tuple[type[PolicyKind], ...] = (PromptInjection, PiiDetector, AuditLogger)
"""Every kind there is."""

__all__ = ["KINDS", "PolicyKind", "Problem"]
