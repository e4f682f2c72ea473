"""`code-sanitation`: take credentials and dangerous commands out of answers, or block."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.problem import Problem, bad_pattern
from kt.policies.rules.secrets import DANGEROUS, SECRETS
from kt.policies.rules.signal import Signal
from kt.policy import Action, Facts, Phase, Rule

LABEL = "[REDACTED]"


@attrs.frozen(kw_only=True)
class CodeSanitation:
    """Find what code must not carry, anywhere in an answer."""

    KIND: ClassVar[str] = "code-sanitation"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    enabled: bool = True
    """False: nothing is looked for."""
    block_on_match: bool = False
    """True: block instead of taking it out."""
    additional_patterns: tuple[str, ...] = ()
    """Patterns looked for beside the built-in ones, with regard to case."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as it is told."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.block_on_match,
            edits=not self.block_on_match,
        )

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan, of nothing where it is switched off."""
        return Scan(
            rules=tuple(self._rules()) if self.enabled else (),
            action=Action.BLOCK if self.block_on_match else Action.REDACT,
            message=f"{phase.subject} blocked: it contains unsafe code or a credential",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report patterns outside the dialect."""
        return tuple(
            problem
            for index, pattern in enumerate(self.additional_patterns)
            for problem in bad_pattern(f"additional_patterns[{index}]", pattern)
        )

    def _rules(self) -> Iterator[Rule]:
        # As they are written: a credential has no other spelling.
        signals: tuple[Signal, ...] = (*SECRETS, *DANGEROUS)
        for one in signals:
            yield Rule(id=f"code.{one.name}", pattern=one.pattern, label=LABEL)
        for number, pattern in enumerate(self.additional_patterns, start=1):
            yield Rule(id=f"code.additional_patterns_{number}", pattern=pattern, label=LABEL)
