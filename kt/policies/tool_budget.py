"""`tool-budget`: what the calls of each tool may cost in one session. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase

MOST = 1_000_000_000_000
"""More than any budget that means something."""


@attrs.frozen(kw_only=True)
class Budget:
    """What the calls of one tool may use."""

    max_tokens: int | None = None
    max_cost_usd: float | None = None


@attrs.frozen(kw_only=True)
class ToolBudget:
    """Budgets per tool; a tool that is not listed has none."""

    KIND: ClassVar[str] = "tool-budget"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.TOOL,)

    budgets: tuple[tuple[str, Budget], ...] = ()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads the calls of tools, adds up and may block."""
        return Facts(
            surfaces=frozenset({Surface.TOOL_ARGUMENTS}),
            can_block=True,
            keeps_state=True,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="what tools cost is not added up")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return tuple(
            problem
            for tool, budget in self.budgets
            for problem in (
                *out_of_range(f"budgets.{tool}.max_tokens", budget.max_tokens, 1, MOST),
                *out_of_range(f"budgets.{tool}.max_cost_usd", budget.max_cost_usd, 0, MOST),
            )
        )
