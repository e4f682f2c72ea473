"""`pii-detector`: find personal data, replace it by a label or block."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.identifiers import not_found
from kt.policies.problem import Problem, bad_pattern, conflict, not_enforced
from kt.policies.rules.personal_data import (
    BUILT_IN,
    CREDIT_CARD,
    HEALTH,
    PCI,
    Entity,
    entity,
    has_no_form,
)
from kt.policy import Action, Derived, Facts, Phase, Rule

USER_PATTERN = "PATTERN_"
"""The `n`-th entry of `detect_patterns`, counted from one, is labeled `[PATTERN_n]`."""
_NAME = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z0-9]+)+")
"""What an entity's name looks like: more than one word, no space, nothing of a pattern."""


class PiiAction(Enum):
    """What is done with personal data."""

    REDACT = "redact"
    BLOCK = "block"


class MarkerFormat(Enum):
    """What stands in place of personal data."""

    LABEL = "label"
    """`[EMAIL]`"""
    ASTERISKS = "asterisks"
    """`***`"""
    PARTIAL = "partial"
    """All but the last four characters become asterisks."""


@attrs.frozen(kw_only=True)
class Redaction:
    """How a redaction looks."""

    marker_format: MarkerFormat = MarkerFormat.LABEL
    include_metadata: bool | None = None
    """Not enforced: events always name rule and length of a finding. The product's default is
    true."""
    preserve_length: bool = False
    """Cut or pad the marker to the number of characters that it replaces."""
    custom_markers: tuple[tuple[str, str], ...] = ()
    """What stands for an entity instead: its name, or `PATTERN_n`, and the text."""


@attrs.frozen(kw_only=True)
class PiiDetector:
    """Find personal data by pattern and checksum."""

    KIND: ClassVar[str] = "pii-detector"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT, Phase.OUTPUT)

    action: PiiAction = PiiAction.REDACT
    healthcare_mode: bool = False
    """Look for medical record numbers, provider identifiers and insurance ids too."""
    pci_mode: bool = True
    """Look for card numbers, security codes and cardholder names."""
    detect_patterns: tuple[str, ...] = ()
    """Looked for too: names of entities, or patterns of the rule dialect."""
    entities: tuple[str, ...] | None = None
    """Exactly these, instead of the built-in ones."""
    fields: tuple[str, ...] | None = None
    """The same."""
    redaction: Redaction = Redaction()

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, and blocks or edits as its action says."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action is PiiAction.BLOCK,
            edits=self.action is PiiAction.REDACT,
        )

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan, the same for requests and answers."""
        return Scan(
            rules=tuple(self._rules()),
            action=Action(self.action.value),
            message=f"{phase.subject} blocked: it contains personal data",
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report unknown names, patterns outside the dialect, and what is not enforced yet."""
        return (
            *self._pattern_problems(),
            *conflict("entities", self.entities, "fields", self.fields),
            *self._entity_problems(),
            *self._marker_problems(),
            *not_enforced(
                "redaction.include_metadata",
                self.redaction.include_metadata,
                "events always name the rule and the length of a finding, never its text",
            ),
        )

    def _looked_for(self) -> tuple[Entity, ...]:
        """Every entity once, in a fixed order, so that equal configs give equal plans."""
        names = self._named()
        if names is None:
            chosen = [*BUILT_IN, *(PCI if self.pci_mode else ())]
        else:
            named = [found for name in names if (found := entity(name))]
            chosen = [one for one in named if self.pci_mode or one not in PCI]
            if CREDIT_CARD in chosen:
                chosen += PCI
        if self.healthcare_mode:
            chosen += HEALTH
        chosen += [found for name in self.detect_patterns if (found := entity(name))]
        return tuple(dict.fromkeys(chosen))

    def _named(self) -> tuple[str, ...] | None:
        return self.fields if self.entities is None else self.entities

    def _user_patterns(self) -> Iterator[tuple[int, str]]:
        """The entries of `detect_patterns` that name no entity, with their index."""
        for index, text in enumerate(self.detect_patterns):
            if entity(text) is None and not has_no_form(text):
                yield index, text

    def _rules(self) -> Iterator[Rule]:
        for one in self._looked_for():
            for number, (pattern, validator) in enumerate(one.patterns, start=1):
                yield self._rule(
                    f"pii.{one.name.lower()}.{number}", one.name, pattern, validator, one.severity
                )
        for index, pattern in self._user_patterns():
            name = f"{USER_PATTERN}{index + 1}"
            yield self._rule(f"pii.{name.lower()}", name, pattern, None, 0)

    def _rule(
        self, rule_id: str, name: str, pattern: str, validator: str | None, severity: int
    ) -> Rule:
        return Rule(
            id=rule_id,
            pattern=pattern,
            validator=validator,
            label=self._label(name),
            derived=self._derived(name),
            severity=severity,
        )

    def _custom(self, name: str) -> str | None:
        """What the config wants to stand for an entity, where it says so."""
        markers = {_marker_name(key): text for key, text in self.redaction.custom_markers}
        return markers.get(name)

    def _label(self, name: str) -> str:
        custom = self._custom(name)
        if custom is not None:
            return custom
        is_label = self.redaction.marker_format is MarkerFormat.LABEL
        return f"[{name}]" if is_label else "***"

    def _derived(self, name: str) -> Derived | None:
        is_partial = self.redaction.marker_format is MarkerFormat.PARTIAL
        if is_partial and self._custom(name) is None:
            return Derived.PARTIAL
        return Derived.SAME_LENGTH if self.redaction.preserve_length else None

    def _pattern_problems(self) -> Iterator[Problem]:
        for index, text in enumerate(self.detect_patterns):
            if has_no_form(text):
                yield not_found(f"detect_patterns[{index}]", f"'{text}' is")
        for index, text in self._user_patterns():
            field = f"detect_patterns[{index}]"
            yield from bad_pattern(field, text)
            if _NAME.fullmatch(text):
                yield _unknown_entity(field, text, is_warning=True)

    def _entity_problems(self) -> Iterator[Problem]:
        key = "fields" if self.entities is None else "entities"
        for index, name in enumerate(self._named() or ()):
            found = entity(name)
            field = f"{key}[{index}]"
            if has_no_form(name):
                yield not_found(field, f"'{name}' is")
            elif found is None:
                yield _unknown_entity(field, name, is_warning=False)
            elif found in PCI and not self.pci_mode:
                message = f"'{name}' is named and 'pci_mode: false' leaves it out"
                hint = "remove one of the two"
                yield Problem(field=field, code_name="conflict", message=message, hint=hint)
        if not self._looked_for() and not self.detect_patterns:
            message = "nothing is looked for"
            yield Problem(field=key, code_name="empty", message=message, is_warning=True)

    def _marker_problems(self) -> Iterator[Problem]:
        known = {one.name for one in self._looked_for()}
        known |= {f"{USER_PATTERN}{index + 1}" for index, _ in self._user_patterns()}
        for key, _ in self.redaction.custom_markers:
            if _marker_name(key) not in known:
                yield Problem(
                    field=f"redaction.custom_markers.{key}",
                    code_name="unknown_marker",
                    message=f"'{key}' names nothing that is looked for",
                    hint=f"known here: {', '.join(sorted(known))}",
                    is_warning=True,
                )


def _marker_name(key: str) -> str:
    found = entity(key)
    return key.upper() if found is None else found.name


def _unknown_entity(field: str, name: str, *, is_warning: bool) -> Problem:
    reading = "; it is matched as a pattern" if is_warning else ""
    return Problem(
        field=field,
        code_name="unknown_entity",
        message=f"'{name}' names no entity that is known{reading}",
        hint="docs/policies.md lists the entities",
        is_warning=is_warning,
    )
