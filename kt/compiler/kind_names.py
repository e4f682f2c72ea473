"""What published lists call a policy: names and types, and the kind that each of them means."""

from collections.abc import Mapping
from types import MappingProxyType

SAFETY = "safety-filter"
PERSONAL_DATA = "pii-detector"
PATTERNS = "dlp-filter"
RECORD = "audit-logger"

KIND_OF: Mapping[str, str] = MappingProxyType(
    {
        "content-filter": SAFETY,
        "content-safety": SAFETY,
        "topic-control": SAFETY,
        "pii-redaction": PERSONAL_DATA,
        "pii-detection": PERSONAL_DATA,
        "prompt-injection-guard": "prompt-injection",
        "quality": "quality-scorer",
        "grounding": "citation-verifier",
        "code-sanitizer": "code-sanitation",
    }
)
"""Name or type -> kind (design section 1). A kind's own name means itself."""

PHASE_OF_TYPE: Mapping[str, str] = MappingProxyType(
    {"input-filter": "input", "output-filter": "output"}
)
"""Types that say only where a policy runs; then its name says what it is."""

OBSERVE = "observe"
"""The type of a policy that only records: all requests, or those in which it finds something."""

MODEL_FILTER = "model-filter"
"""The type of an entry that looks at no text: which models are for whom."""

TYPES = (*KIND_OF, *PHASE_OF_TYPE, OBSERVE, MODEL_FILTER)
"""Every type beside the kinds."""

SINGLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "prompt-injection": ("detection", "encoding", "boundaries", "attack_patterns"),
        "agent-firewall": (
            "tools",
            "allowed_tools",
            "blocked_tools",
            "rate_limits",
            "transaction_limits",
            "kill_switches",
            "monitoring",
            "max_actions_per_session",
        ),
        "citation-verifier": (
            "output_action",
            "extract_patterns",
            "external_resolver",
            "require_sources",
            "min_confidence",
            "min_groundedness",
        ),
        "quality-scorer": ("assertions", "benchmarks", "thresholds", "weights", "pass_policy"),
    }
)
"""The kinds that a document may be about alone, and the sections by which each is known."""


def canonical_word(word: str) -> str:
    """A kind, type or name in its canonical spelling."""
    return word.replace("_", "-")
