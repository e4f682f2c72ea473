"""`legal-privilege`: block text that is marked as between lawyer and client."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem
from kt.policies.rules.confidential_matters import PRIVILEGE
from kt.policies.rules.signal import rules_of
from kt.policies.terms import TermList
from kt.policy import Action, Facts, Phase, Rule

FAMILY = "privilege"
LABEL = "[PRIVILEGED]"


@attrs.frozen(kw_only=True)
class LegalPrivilege:
    """Markers of privileged text."""

    KIND: ClassVar[str] = "legal-privilege"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: BlockOnly = BlockOnly.BLOCK
    privilege_markers: tuple[str, ...] = ()
    """Terms and patterns in any case, looked for beside the built-in ones."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan."""
        return Scan(
            rules=tuple(self._rules()),
            action=Action.BLOCK,
            message=f"{phase.subject} blocked: it is marked as privileged",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries."""
        return tuple(self._terms().problems())

    def _rules(self) -> Iterator[Rule]:
        yield from rules_of(PRIVILEGE, FAMILY, LABEL)
        yield from self._terms().rules(FAMILY, LABEL)

    def _terms(self) -> TermList:
        return TermList(field="privilege_markers", entries=self.privilege_markers)
