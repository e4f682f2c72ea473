"""`upl-filter`: keep phrases of legal advice out of answers."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced, Scan
from kt.policies.advice import advice_body, advice_terms
from kt.policies.problem import Problem, not_enforced
from kt.policy import Facts, Phase


@attrs.frozen(kw_only=True)
class UplFilter:
    """Blocked phrases; a disclaimer and a rewrite are accepted and not made yet."""

    KIND: ClassVar[str] = "upl-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    blocked_patterns: tuple[str, ...] = ()
    """Terms and patterns in any case."""
    require_disclaimer: bool | None = None
    """Not enforced yet. The product's default is true."""
    rewrite_to_educational: bool | None = None
    """Not enforced yet. The product's default is false."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> Scan | NotEnforced:
        """Lower to a scan, if there is anything to look for."""
        return advice_body("upl", "legal", self.blocked_patterns, phase)

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, and what is not enforced yet."""
        return (
            *advice_terms(self.blocked_patterns).problems(),
            *not_enforced(
                "require_disclaimer", self.require_disclaimer, "answers get no text in front"
            ),
            *not_enforced(
                "rewrite_to_educational", self.rewrite_to_educational, "answers are not rewritten"
            ),
        )
