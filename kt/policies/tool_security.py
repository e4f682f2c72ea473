"""`tool-security`: whether the arguments of a tool call carry secrets. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem
from kt.policy import Cost, Facts, Phase, Sees


class AnalysisMode(Enum):
    """Who looks."""

    LOCAL = "local"
    EXTERNAL = "external"


@attrs.frozen(kw_only=True)
class ToolSecurity:
    """Look into the arguments of tool calls, here or at a firewall."""

    KIND: ClassVar[str] = "tool-security"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.TOOL,)

    analysis_mode: AnalysisMode = AnalysisMode.LOCAL
    firewall_endpoint: str | None = None
    secret_key_ref: AnyValue | None = None
    blocked_entity_types: tuple[str, ...] = ("pan", "ssn", "jwt", "aws_access_key")

    def facts(self, phase: Phase) -> Facts:
        """State that it reads the calls of tools, may block and may ask over the network."""
        is_external = self.analysis_mode is AnalysisMode.EXTERNAL
        return Facts(
            surfaces=frozenset({Surface.TOOL_ARGUMENTS}),
            can_block=True,
            cost=Cost.NETWORK if is_external else Cost.INLINE,
            sees=Sees.REDACTED if is_external else Sees.ORIGINAL,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="arguments of tools are not searched for secrets")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()
