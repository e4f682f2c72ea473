"""`prompt-injection`: find text that tries to take over the model, and block the request."""

from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies.problem import Problem, conflict, not_enforced, out_of_range
from kt.policies.rules.injection import FAKE_BOUNDARIES, SIGNALS
from kt.policies.terms import in_any_case, pattern_problems
from kt.policy import Action, Facts, Phase, Rule, View

MESSAGE = "{} blocked: potential prompt injection"
"""With what was blocked, the request or the answer."""


class InjectionAction(Enum):
    """What is done with an injection."""

    BLOCK = "block"
    ESCALATE = "escalate"
    FLAG = "flag"
    WARN = "warn"
    LOG = "log"


class Backend(Enum):
    """Who looks."""

    LOCAL = "local"
    EXTERNAL = "external"
    """Not enforced yet."""


@attrs.frozen(kw_only=True)
class Detection:
    """What is looked for."""

    embedding_threshold: float | None = None
    """Not enforced yet: no embeddings are compared. The product's default is 0.8."""
    attack_patterns: tuple[str, ...] = ()
    """Patterns of the rule dialect, looked for in any case beside the built-in ones."""


@attrs.frozen(kw_only=True)
class Encoding:
    """Which disguises are seen through."""

    decode_base64: bool = True
    normalize_unicode: bool = True
    """Fold compatibility forms and remove invisible characters."""
    detect_homoglyphs: bool = True
    """Read look-alike letters of other scripts, and letters with marks, as the plain letter."""


@attrs.frozen(kw_only=True)
class Boundaries:
    """Whether a text may pretend to end."""

    enforce_delimiters: bool | None = None
    """Not enforced yet. The product's default is true."""
    reject_fake_boundaries: bool = True
    """Find the marks of chat templates inside a text."""


@attrs.frozen(kw_only=True)
class Response:
    """What happens then."""

    action: InjectionAction | None = None
    """None: the flat `action`, and without it `block`."""
    message: str | None = None
    """What the client is told."""
    log_level: str | None = None
    """Not enforced yet: the event of the request is written whatever it says."""


@attrs.frozen(kw_only=True)
class PromptInjection:
    """Find attempts to override, replace or read out the instructions of a model."""

    KIND: ClassVar[str] = "prompt-injection"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    detection: Detection = Detection()
    embedding_threshold: float | None = None
    """The same as `detection.embedding_threshold`."""
    attack_patterns: tuple[str, ...] = ()
    """Added to `detection.attack_patterns`."""
    backend: Backend = Backend.LOCAL
    encoding: Encoding = Encoding()
    boundaries: Boundaries = Boundaries()
    response: Response = Response()
    threshold: float | None = None
    """Not enforced yet: a pattern matches or does not, there is no score."""
    action: InjectionAction | None = None
    """The same as `response.action`."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything and edits nothing."""
        return Facts(surfaces=frozenset(Surface), can_block=self._action() is InjectionAction.BLOCK)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan; encodings are looked into in requests only."""
        looks_inside = self.encoding.decode_base64 and phase is not Phase.OUTPUT
        return Scan(
            rules=tuple(self._rules()),
            action=Action(self._action().value),
            message=self.response.message or MESSAGE.format(phase.subject),
            decode=("base64",) if looks_inside else (),
        )

    def problems(self) -> tuple[Problem, ...]:
        """Report patterns outside the dialect, contradictions, and what is not enforced yet."""
        return (
            *self._pattern_problems(),
            *self._contradictions(),
            *self._numbers_out_of_range(),
            *self._not_enforced(),
        )

    def _action(self) -> InjectionAction:
        return self.response.action or self.action or InjectionAction.BLOCK

    def _view(self) -> View:
        if self.encoding.detect_homoglyphs:
            return View.FOLDED
        return View.NORMALIZED if self.encoding.normalize_unicode else View.TEXT

    def _rules(self) -> Iterator[Rule]:
        boundaries = FAKE_BOUNDARIES if self.boundaries.reject_fake_boundaries else ()
        for signal in (*SIGNALS, *boundaries):
            yield Rule(id=f"injection.{signal.name}", pattern=signal.pattern, view=self._view())
        own = (*self.detection.attack_patterns, *self.attack_patterns)
        for number, pattern in enumerate(own, start=1):
            rule_id = f"injection.attack_pattern_{number}"
            yield Rule(id=rule_id, pattern=in_any_case(pattern), view=self._view())

    def _pattern_problems(self) -> Iterator[Problem]:
        for index, pattern in enumerate(self.detection.attack_patterns):
            field = f"detection.attack_patterns[{index}]"
            yield from pattern_problems(field, pattern, in_any_case(pattern))
        for index, pattern in enumerate(self.attack_patterns):
            field = f"attack_patterns[{index}]"
            yield from pattern_problems(field, pattern, in_any_case(pattern))

    def _contradictions(self) -> tuple[Problem, ...]:
        return (
            *conflict("response.action", self.response.action, "action", self.action),
            *conflict(
                "detection.embedding_threshold",
                self.detection.embedding_threshold,
                "embedding_threshold",
                self.embedding_threshold,
            ),
        )

    def _numbers_out_of_range(self) -> tuple[Problem, ...]:
        nested = self.detection.embedding_threshold
        return (
            *out_of_range("detection.embedding_threshold", nested, 0, 1),
            *out_of_range("embedding_threshold", self.embedding_threshold, 0, 1),
            *out_of_range("threshold", self.threshold, 0, 1),
        )

    def _not_enforced(self) -> tuple[Problem, ...]:
        patterns = "the built-in patterns and 'attack_patterns' decide"
        external = self.backend if self.backend is Backend.EXTERNAL else None
        nested = self.detection.embedding_threshold
        delimiters = self.boundaries.enforce_delimiters
        return (
            *not_enforced("detection.embedding_threshold", nested, patterns),
            *not_enforced("embedding_threshold", self.embedding_threshold, patterns),
            *not_enforced("threshold", self.threshold, patterns),
            *not_enforced("backend", external, "only 'local' looks at the text"),
            *not_enforced(
                "boundaries.enforce_delimiters",
                delimiters,
                "'reject_fake_boundaries' finds the marks of chat templates",
            ),
            *not_enforced(
                "response.log_level", self.response.log_level, "'audit-logger' records the event"
            ),
        )
