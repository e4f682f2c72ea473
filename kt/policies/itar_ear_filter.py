"""`itar-ear-filter`: block text about export-controlled subjects."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem
from kt.policies.rules.controlled_subjects import CATEGORIES, MARKINGS, category
from kt.policies.rules.signal import rules_of
from kt.policies.terms import TermList, distance_problems, fuzzy_distance
from kt.policy import Action, Facts, Phase, Rule

FAMILY = "itar_ear"
LABEL = "[EXPORT_CONTROLLED]"


@attrs.frozen(kw_only=True)
class ItarEarFilter:
    """Phrases of the munitions and commerce lists, and own ones."""

    KIND: ClassVar[str] = "itar-ear-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT, Phase.OUTPUT)

    action: BlockOnly = BlockOnly.BLOCK
    blocked_terms: tuple[str, ...] = ()
    """Terms and patterns, looked for beside the built-in ones."""
    categories: tuple[str, ...] = ()
    """The built-in lists that are wanted; none named means all of them."""
    fuzzy_matching: bool = False
    """Find the terms of `blocked_terms` with a few letters wrong too."""
    max_distance: int = 1

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan, the same for requests and answers."""
        return Scan(
            rules=tuple(self._rules()),
            action=Action.BLOCK,
            message=f"{phase.subject} blocked: it is about export-controlled subjects",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, and categories that nobody knows."""
        return (
            *distance_problems(self.fuzzy_matching, self.max_distance),
            *self._terms().problems(),
            *self._unknown_categories(),
        )

    def _rules(self) -> Iterator[Rule]:
        wanted = [found for name in self.categories if (found := category(name))]
        lists = wanted or CATEGORIES.values()
        signals = dict.fromkeys([*MARKINGS, *(one for many in lists for one in many)])
        yield from rules_of(signals, FAMILY, LABEL)
        yield from self._terms().rules(FAMILY, LABEL)

    def _terms(self) -> TermList:
        distance = fuzzy_distance(self.fuzzy_matching, self.max_distance)
        return TermList(field="blocked_terms", entries=self.blocked_terms, distance=distance)

    def _unknown_categories(self) -> Iterator[Problem]:
        for index, name in enumerate(self.categories):
            if category(name) is None:
                yield Problem(
                    field=f"categories[{index}]",
                    code_name="unknown_entity",
                    message=f"'{name}' names no list that is known; nothing is found by it",
                    hint=f"known are {', '.join(CATEGORIES)}",
                    is_warning=True,
                )
