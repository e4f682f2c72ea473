"""`mnpi-filter`: block text about what only insiders of a company know."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem
from kt.policies.rules.confidential_matters import INSIDER
from kt.policies.rules.signal import rules_of
from kt.policies.terms import TermList
from kt.policy import Action, Facts, Phase, Rule

FAMILY = "mnpi"
LABEL = "[MNPI]"


@attrs.frozen(kw_only=True)
class MnpiFilter:
    """Phrases of material that is not public, and own ones."""

    KIND: ClassVar[str] = "mnpi-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: BlockOnly = BlockOnly.BLOCK
    detect_patterns: tuple[str, ...] = ()
    """Terms and patterns in any case, looked for beside the built-in ones."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan."""
        return Scan(
            rules=tuple(self._rules()),
            action=Action.BLOCK,
            message=f"{phase.subject} blocked: it is about material that is not public",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries."""
        return tuple(self._terms().problems())

    def _rules(self) -> Iterator[Rule]:
        yield from rules_of(INSIDER, FAMILY, LABEL)
        yield from self._terms().rules(FAMILY, LABEL)

    def _terms(self) -> TermList:
        return TermList(field="detect_patterns", entries=self.detect_patterns)
