"""`entity-list-filter`: block text that names companies or persons of a list."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced, Scan
from kt.policies.actions import BlockOnly
from kt.policies.problem import Problem, not_enforced
from kt.policies.terms import TermList, distance_problems, fuzzy_distance
from kt.policy import Action, Facts, Phase

LABEL = "[LISTED_ENTITY]"


@attrs.frozen(kw_only=True)
class EntityListFilter:
    """Names that a config lists; the lists of the authorities do not ship."""

    KIND: ClassVar[str] = "entity-list-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT, Phase.OUTPUT)

    action: BlockOnly = BlockOnly.BLOCK
    blocked_entities: tuple[str, ...] = ()
    """Names and patterns, in any case."""
    lists: tuple[str, ...] = ()
    """Not enforced yet: they change every week and do not ship."""
    fuzzy_matching: bool = False
    """Find names with a few letters wrong too."""
    max_distance: int = 1

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and may block."""
        return Facts(surfaces=frozenset(Surface), can_block=True)

    def body(self, phase: Phase) -> Scan | NotEnforced:
        """Lower to a scan, the same for requests and answers, if there is anything to look for."""
        if not self.blocked_entities:
            return NotEnforced(reason="no list of sanctions ships, and blocked_entities is empty")
        return Scan(
            rules=tuple(self._names().rules("entity_list", LABEL)),
            action=Action.BLOCK,
            message=f"{phase.subject} blocked: it names a listed entity",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, and lists that do not ship."""
        return (
            *distance_problems(self.fuzzy_matching, self.max_distance),
            *self._names().problems(),
            *not_enforced(
                "lists", self.lists or None, "put the names that matter into blocked_entities"
            ),
        )

    def _names(self) -> TermList:
        distance = fuzzy_distance(self.fuzzy_matching, self.max_distance)
        return TermList(field="blocked_entities", entries=self.blocked_entities, distance=distance)
