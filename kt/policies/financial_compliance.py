"""`financial-compliance`: keep phrases of advice on money out of answers."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced, Scan
from kt.policies.advice import advice_body, advice_terms
from kt.policies.problem import Problem, not_enforced
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class FinancialCompliance:
    """Blocked phrases; disclaimers are accepted and not put in front yet."""

    KIND: ClassVar[str] = "financial-compliance"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    blocked_patterns: tuple[str, ...] = ()
    """Terms and patterns in any case."""
    required_disclaimers: tuple[str, ...] = ()
    """Not enforced yet."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> Scan | NotEnforced:
        """Lower to a scan, if there is anything to look for."""
        return advice_body("financial", "financial", self.blocked_patterns, phase)

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, and what is not enforced yet."""
        return (
            *advice_terms(self.blocked_patterns).problems(),
            *not_enforced(
                "required_disclaimers",
                self.required_disclaimers or None,
                "answers get no text in front",
            ),
        )
