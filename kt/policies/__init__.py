"""The policy kinds: one kind = one file = its model, its facts, its body.

A kind is a frozen model whose fields are the keys of `policy.<kind>`. The compiler reads it, orders
it by its facts and lowers it; the runtime only ever sees the body. A kind is imported when somebody
asks for it: a configuration uses few of them, and `kt config validate` starts fast.
"""

import importlib
from collections.abc import Iterator, Mapping

from kt.policies.any_value import AnyValue
from kt.policies.kind import PolicyKind
from kt.policies.problem import Problem

NAMES = (
    "prompt-injection",
    "pii-detector",
    "hipaa-phi-detector",
    "agent-firewall",
    "rbac",
    "dlp-filter",
    "safety-filter",
    "language-validator",
    "bot-detector",
    "external-moderation",
    "embedding-detector",
    "content-extractor",
    "document-analyzer",
    "data-routing-policy",
    "student-privacy",
    "case-privacy",
    "cjis-mode",
    "itar-ear-filter",
    "entity-list-filter",
    "dual-use-filter",
    "mnpi-filter",
    "legal-privilege",
    "gdpr-compliance",
    "eu-ai-act",
    "tool-validation",
    "tool-security",
    "tool-budget",
    "cost-guard",
    "code-sanitation",
    "quality-scorer",
    "human-oversight",
    "flagged-review",
    "citation-verifier",
    "bias-monitor",
    "financial-compliance",
    "healthcare-compliance",
    "upl-filter",
    "audit-logger",
)
"""Every kind there is: `pii-detector` is the class PiiDetector of the module pii_detector."""


class Registry(Mapping[str, type[PolicyKind]]):
    """The kinds by name, each imported when it is looked up; their names are known before."""

    def __getitem__(self, name: str) -> type[PolicyKind]:
        """The kind of a canonical name."""
        if name not in NAMES:
            raise KeyError(name)
        module = importlib.import_module(f"kt.policies.{name.replace('-', '_')}")
        kind: type[PolicyKind] = getattr(module, name.title().replace("-", ""))
        return kind

    def __contains__(self, name: object) -> bool:
        """Whether a kind has this name; imports nothing."""
        return name in NAMES

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(NAMES)

    def __len__(self) -> int:
        """How many kinds there are."""
        return len(NAMES)


KINDS = Registry()
"""Every kind there is, by name."""

__all__ = ["KINDS", "AnyValue", "PolicyKind", "Problem"]
