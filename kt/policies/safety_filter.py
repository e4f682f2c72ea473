"""`safety-filter`: find text about harm by words and patterns, and block it."""

from collections.abc import Iterator
from enum import Enum
from types import MappingProxyType
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem, not_enforced, out_of_range
from kt.policies.rules.signal import Signal, rules_of
from kt.policies.rules.unsafe_content import (
    AUTOMOTIVE,
    CATEGORIES,
    CRITICAL_INFRASTRUCTURE,
    EDUCATION,
    EVERYTHING,
    LAW_ENFORCEMENT,
    category,
)
from kt.policies.terms import TermList, distance_problems, fuzzy_distance
from kt.policy import Action, Facts, Phase, Rule

LABEL = "[SAFETY]"


class SafetyMode(Enum):
    """What an organization wants to keep out."""

    CRITICAL_INFRASTRUCTURE = "critical_infrastructure"
    AUTOMOTIVE = "automotive"
    EDUCATION = "education"
    LAW_ENFORCEMENT = "law_enforcement"
    STRICT = "strict"
    """Everything that is known."""


BUILT_IN = MappingProxyType(
    {
        SafetyMode.CRITICAL_INFRASTRUCTURE: CRITICAL_INFRASTRUCTURE,
        SafetyMode.AUTOMOTIVE: AUTOMOTIVE,
        SafetyMode.EDUCATION: EDUCATION,
        SafetyMode.LAW_ENFORCEMENT: LAW_ENFORCEMENT,
        SafetyMode.STRICT: EVERYTHING,
    }
)


@attrs.frozen(kw_only=True)
class SafetyFilter:
    """Find what a mode or a list rules out."""

    KIND: ClassVar[str] = "safety-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    mode: SafetyMode | None = None
    """None: `critical_infrastructure`, or where subjects are named only those."""
    block_if: tuple[str, ...] = ()
    """Terms and patterns, looked for beside the built-in ones."""
    action: Action = Action.BLOCK
    fuzzy_matching: bool = False
    """Find the terms of `block_if`, `topics` and `categories` with a few letters wrong too."""
    max_distance: int = 1
    max_age: int = 0
    topics: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    threshold: AnyValue | None = None
    """Not enforced yet: a pattern matches or does not, there is no score."""
    sensitivity: AnyValue | None = None
    """Not enforced yet, like `threshold`."""
    message: str | None = None
    """What the client is told."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is Action.BLOCK,
            edits=self.action is Action.REDACT,
        )

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan, the same for requests and answers."""
        return Scan(
            rules=tuple(self._rules()),
            action=self.action,
            message=self.message or f"{phase.subject} blocked: the safety policy rules it out",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, unknown subjects, and what is not enforced yet."""
        return (
            *distance_problems(self.fuzzy_matching, self.max_distance),
            *(problem for one in self._lists() for problem in one.problems()),
            *self._unknown_subjects(),
            *out_of_range("max_age", self.max_age, 0, 150),
            *not_enforced("max_age", self.max_age or None, "nobody's age is known"),
            *not_enforced("threshold", self.threshold, "a rule matches or does not"),
            *not_enforced("sensitivity", self.sensitivity, "a rule matches or does not"),
        )

    def _rules(self) -> Iterator[Rule]:
        yield from rules_of(self._signals(), "safety", LABEL)
        for terms in self._lists():
            yield from terms.rules("safety", LABEL)

    def _signals(self) -> tuple[Signal, ...]:
        """The built-in rules that are wanted, each once."""
        named = [one for name in self._subjects() for one in category(name) or ()]
        mode = self.mode
        if mode is None and not self._subjects():
            mode = SafetyMode.CRITICAL_INFRASTRUCTURE
        return tuple(dict.fromkeys([*(BUILT_IN[mode] if mode else ()), *named]))

    def _subjects(self) -> tuple[str, ...]:
        return (*self.topics, *self.categories)

    def _lists(self) -> tuple[TermList, ...]:
        """What is matched as it was written: the own terms, and subjects that nobody knows."""
        distance = fuzzy_distance(self.fuzzy_matching, self.max_distance)
        return (
            TermList(field="block_if", entries=self.block_if, distance=distance),
            *(
                TermList(field=field, entries=names, distance=distance, left_out=_known(names))
                for field, names in (("topics", self.topics), ("categories", self.categories))
            ),
        )

    def _unknown_subjects(self) -> Iterator[Problem]:
        for field, names in (("topics", self.topics), ("categories", self.categories)):
            known = _known(names)
            for index, name in enumerate(names):
                if index not in known:
                    yield _unknown_subject(f"{field}[{index}]", name)


def _unknown_subject(field: str, name: str) -> Problem:
    return Problem(
        field=field,
        code_name="unknown_entity",
        message=f"'{name}' names no subject that is known; it is matched as a term",
        hint=f"known are {', '.join(CATEGORIES)}",
        is_warning=True,
    )


def _known(names: tuple[str, ...]) -> frozenset[int]:
    """The places of names that stand for built-in rules."""
    return frozenset(index for index, name in enumerate(names) if category(name) is not None)
