"""`dlp-filter`: find an organization's own terms, patterns and markings, and take them out."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.actions import RedactOrBlock
from kt.policies.problem import Problem, bad_pattern, not_enforced
from kt.policies.rules.markings import HIGH, RESTRICTED
from kt.policies.rules.signal import Signal
from kt.policies.terms import TermList, distance_problems, fuzzy_distance
from kt.policy import Action, Facts, Phase, Rule

LABEL = "[DLP]"
MARKING = "[CLASSIFICATION]"


class SensitivityLevel(Enum):
    """Whether markings are looked for, and which."""

    STANDARD = "standard"
    HIGH = "high"
    RESTRICTED = "restricted"


@attrs.frozen(kw_only=True)
class NamedPattern:
    """A pattern with a name of its own."""

    name: str
    """What stands in place of a match, in capitals and brackets."""
    regex: str
    action: RedactOrBlock | None = None
    """The filter's own action, if that is not given: it does one thing with all that it finds."""


@attrs.frozen(kw_only=True)
class DlpFilter:
    """Find what must not leave."""

    KIND: ClassVar[str] = "dlp-filter"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT, Phase.OUTPUT)

    action: Action | None = None
    """None: what all of `patterns` say, else `redact`."""
    detect_patterns: tuple[str, ...] = ()
    blocked_terms: tuple[str, ...] = ()
    """Terms and patterns, in any case."""
    patterns: tuple[NamedPattern, ...] = ()
    fuzzy_matching: bool = False
    """Find the terms of `blocked_terms` with a few letters wrong too."""
    max_distance: int = 1
    sensitivity_level: SensitivityLevel = SensitivityLevel.STANDARD
    message: str | None = None
    """What the client is told."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self._action() is Action.BLOCK,
            edits=self._action() is Action.REDACT,
        )

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan, the same for requests and answers."""
        return Scan(
            rules=tuple(self._rules()),
            action=self._action(),
            message=self.message
            or f"{phase.subject} blocked: it contains data that must not leave",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report bad entries, and a filter that looks for nothing."""
        return (
            *distance_problems(self.fuzzy_matching, self.max_distance),
            *self._terms().problems(),
            *self._pattern_problems(),
            *self._other_actions(),
            *self._emptiness(),
        )

    def _action(self) -> Action:
        """Its own, or the one that every pattern asks for."""
        asked = {one.action for one in self.patterns}
        only = asked.pop() if len(asked) == 1 else None
        return self.action or (Action.REDACT if only is None else Action(only.value))

    def _terms(self) -> TermList:
        distance = fuzzy_distance(self.fuzzy_matching, self.max_distance)
        return TermList(field="blocked_terms", entries=self.blocked_terms, distance=distance)

    def _rules(self) -> Iterator[Rule]:
        for number, pattern in enumerate(self.detect_patterns, start=1):
            yield Rule(id=f"dlp.detect_patterns_{number}", pattern=pattern, label=LABEL)
        for number, named in enumerate(self.patterns, start=1):
            yield Rule(id=f"dlp.patterns_{number}", pattern=named.regex, label=_label(named.name))
        yield from self._terms().rules("dlp", LABEL)
        for one in self._markings():
            yield Rule(id=f"dlp.marking.{one.name}", pattern=one.pattern, label=MARKING)

    def _markings(self) -> tuple[Signal, ...]:
        match self.sensitivity_level:
            case SensitivityLevel.STANDARD:
                return ()
            case SensitivityLevel.HIGH:
                return HIGH
            case SensitivityLevel.RESTRICTED:
                return (*HIGH, *RESTRICTED)

    def _pattern_problems(self) -> Iterator[Problem]:
        for index, pattern in enumerate(self.detect_patterns):
            yield from bad_pattern(f"detect_patterns[{index}]", pattern)
        for index, named in enumerate(self.patterns):
            yield from bad_pattern(f"patterns[{index}].regex", named.regex)

    def _other_actions(self) -> Iterator[Problem]:
        done = self._action().value
        for index, named in enumerate(self.patterns):
            if named.action is not None and named.action.value != done:
                hint = f"the filter does one thing with all that it finds: {done}"
                yield from not_enforced(f"patterns[{index}].action", named.action, hint)

    def _emptiness(self) -> Iterator[Problem]:
        if not any(True for _ in self._rules()):
            message = "nothing is looked for"
            hint = "list blocked_terms or patterns, or raise sensitivity_level"
            yield Problem(
                field="blocked_terms",
                code_name="empty",
                message=message,
                hint=hint,
                is_warning=True,
            )


def _label(name: str) -> str:
    word = re.sub(r"[\W_]+", "_", name).strip("_").upper()
    return f"[{word}]" if word else LABEL
