"""`dual-use-filter`: block or take out words for goods that also have a military use."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem
from kt.policies.rules.controlled_subjects import DUAL_USE
from kt.policies.rules.signal import rules_of
from kt.policies.terms import TermList, distance_problems, fuzzy_distance
from kt.policy import Action, Facts, Phase, Rule

FAMILY = "dual_use"
LABEL = "[DUAL_USE]"


@attrs.frozen(kw_only=True)
class DualUseFilter:
    """Goods and methods that have two uses, and own terms."""

    KIND: ClassVar[str] = "dual-use-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    action: RedactOrBlock = RedactOrBlock.BLOCK
    blocked_terms: tuple[str, ...] = ()
    """Terms and patterns, looked for beside the built-in ones."""
    fuzzy_matching: bool = False
    """Find the terms of `blocked_terms` with a few letters wrong too."""
    max_distance: int = 1

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is RedactOrBlock.BLOCK,
            edits=self.action is RedactOrBlock.REDACT,
        )

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan."""
        return Scan(
            rules=tuple(self._rules()),
            action=Action(self.action.value),
            message=f"{phase.subject} blocked: it is about goods that have a military use",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, and a distance that is none."""
        return (
            *distance_problems(self.fuzzy_matching, self.max_distance),
            *self._terms().problems(),
        )

    def _rules(self) -> Iterator[Rule]:
        yield from rules_of(DUAL_USE, FAMILY, LABEL)
        yield from self._terms().rules(FAMILY, LABEL)

    def _terms(self) -> TermList:
        distance = fuzzy_distance(self.fuzzy_matching, self.max_distance)
        return TermList(field="blocked_terms", entries=self.blocked_terms, distance=distance)
