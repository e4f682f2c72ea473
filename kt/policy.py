"""The seam between policies and everything else: what a policy declares and what it answers.

A policy kind is a frozen model (in `kt/policies/`) that states its `Facts` and lowers itself to a
plan body. The runtime runs bodies and knows no kind.
"""

from enum import Enum

import attrs

from kt.exchange import Surface


class Phase(Enum):
    """When a policy looks: at the request, at tool calls, at the answer, or after everything."""

    INPUT = "input"
    TOOL = "tool"
    OUTPUT = "output"
    AUDIT = "audit"

    @property
    def subject(self) -> str:
        """What a block in this phase is about, as the client is told."""
        return "Answer" if self is Phase.OUTPUT else "Request"


class Action(Enum):
    """What a policy does with what it finds."""

    BLOCK = "block"
    REDACT = "redact"
    ESCALATE = "escalate"
    FLAG = "flag"
    WARN = "warn"
    LOG = "log"


ACTING = frozenset({Action.BLOCK, Action.ESCALATE, Action.REDACT})
"""Actions that decide what the client sees; the others only record."""


class Outcome(Enum):
    """The answer of one check. The last three are trouble, and are values like the others."""

    ALLOW = "allow"
    BLOCK = "block"
    REDACT = "redact"
    ESCALATE = "escalate"
    FLAG = "flag"
    WARN = "warn"
    LOG = "log"
    LATE = "late"
    FAILED = "failed"
    UNEVALUABLE = "unevaluable"

    @property
    def is_trouble(self) -> bool:
        """Whether the check could not answer."""
        return self in _TROUBLE


_TROUBLE = frozenset({Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE})


class OnTrouble(Enum):
    """What becomes of a check that could not answer."""

    BLOCK = "block"
    ALLOW = "allow"


class Cost(Enum):
    """What a check costs: CPU under about a millisecond on 4 KB, a thread, or the network."""

    INLINE = "inline"
    THREAD = "thread"
    NETWORK = "network"


class Sees(Enum):
    """Whether a policy reads the text as it came or as redacted by the others of its phase."""

    ORIGINAL = "original"
    REDACTED = "redacted"


class Streams(Enum):
    """How a policy judges an answer that arrives in pieces."""

    PATTERN = "pattern"
    """Exactly, wherever the answer is cut (law of the safe frontier)."""
    WHOLE = "whole"
    """Only the complete answer, which is therefore collected first."""
    NEVER = "never"
    """It reads no answer text."""


@attrs.frozen(kw_only=True)
class Facts:
    """What the compiler may know of a policy instance; order and placement follow from it alone."""

    surfaces: frozenset[Surface]
    can_block: bool = False
    edits: bool = False
    has_effects: bool = False
    keeps_state: bool = False
    cost: Cost = Cost.INLINE
    streams: Streams = Streams.PATTERN
    sees: Sees = Sees.ORIGINAL
    free_order: bool = False
    """`order: free`: a blocker declared after it may run before it, so that what it would have done
    outside is not done for a request that is blocked."""

    @property
    def acts(self) -> bool:
        """Whether something outside the phase is different after the step has run."""
        return self.has_effects or self.keeps_state


class View(Enum):
    """The form of the text on which a rule matches; each works character by character."""

    TEXT = "text"
    """The text as it came."""
    NORMALIZED = "normalized"
    """Compatibility forms folded (NFKC of each character), invisible characters removed."""
    FOLDED = "folded"
    """Normalized, and confusables and combining marks folded to the plain letter."""


class Derived(Enum):
    """A replacement computed from the text that it replaces."""

    PARTIAL = "partial"
    """All but the last four characters become asterisks."""
    SAME_LENGTH = "same_length"
    """The label cut or padded with asterisks to the number of characters that it replaces."""


@attrs.frozen(kw_only=True)
class Rule:
    """One pattern and what its match is called. Plain data: it travels inside the plan."""

    id: str
    pattern: str
    """In the dialect of `grammar/pattern.lark`."""
    view: View = View.NORMALIZED
    validator: str | None = None
    """A name in `kt.patterns.validators.VALIDATORS` that a candidate must satisfy."""
    label: str = "[REDACTED]"
    derived: Derived | None = None
    severity: int = 0


@attrs.frozen
class Finding:
    """A match of a rule: its index in the rule list and UTF-8 byte offsets in the original text."""

    rule: int
    start: int
    end: int


@attrs.frozen
class Edit:
    """Replace a non-empty span (UTF-8 byte offsets) of one segment's original text by a label."""

    segment: int
    start: int
    end: int
    label: str
    derived: Derived | None = None
    severity: int = 0
    order: int = 0
    """The declared order of the policy that asks for it."""
    rule: int = 0


@attrs.frozen(kw_only=True)
class Verdict:
    """What one check answered. Never the text: rule ids and span lengths only."""

    outcome: Outcome
    edits: tuple[Edit, ...] = ()
    rule: str | None = None
    """The rule that decided: the first that found something."""
    spans: tuple[int, ...] = ()
    """The lengths in bytes of what was found."""


ALLOW = Verdict(outcome=Outcome.ALLOW)
