"""`tool-validation`: whether a tool call is declared and has the right form. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Sees


@attrs.frozen(kw_only=True)
class SemanticValidation:
    """A model that judges whether a call makes sense."""

    enabled: bool = False
    endpoint: str | None = None
    model: str | None = None
    secret_key_ref: AnyValue | None = None
    timeout_ms: int | None = None


@attrs.frozen(kw_only=True)
class ToolValidation:
    """Declared tools and the JSON Schemas of their arguments."""

    KIND: ClassVar[str] = "tool-validation"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.TOOL,)

    declared_tools: tuple[str, ...] = ()
    schemas: tuple[tuple[str, AnyValue], ...] = ()
    """Tool -> JSON Schema of its arguments."""
    allow_undeclared: bool = False
    semantic_validation: SemanticValidation = SemanticValidation()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads the calls of tools, may block and may ask over the network."""
        asks = self.semantic_validation.enabled
        return Facts(
            surfaces=frozenset({Surface.TOOL_ARGUMENTS}),
            can_block=True,
            cost=Cost.NETWORK if asks else Cost.INLINE,
            sees=Sees.REDACTED if asks else Sees.ORIGINAL,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="arguments of tools are not compared with schemas")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        wait = self.semantic_validation.timeout_ms
        return out_of_range("semantic_validation.timeout_ms", wait, 1, 60_000)
