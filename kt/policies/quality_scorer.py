"""`quality-scorer`: score an answer and act on a low score. Not enforced yet."""

from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Sees, Streams

ONE = 1.0
HEAVIEST = 10.0
MOST = 1_000_000_000.0


class AssertionMode(Enum):
    """Whether a failed assertion counts."""

    ENFORCE = "enforce"
    AUDIT = "audit"
    SHADOW = "shadow"


class Severity(Enum):
    """How bad a failed assertion is."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@attrs.frozen(kw_only=True)
class Assertion:
    """One thing that an answer must be."""

    type: str
    """One of some sixty-five, as `contains`, `is-json` or `llm-rubric`."""
    name: str | None = None
    value: AnyValue | None = None
    rubric: str | None = None
    threshold: float | None = None
    weight: float = 1.0
    enabled: bool = True
    mode: AssertionMode = AssertionMode.ENFORCE
    severity: Severity | None = None
    negate: bool = False
    case_sensitive: bool = True
    provider: AnyValue | None = None
    pack: str | None = None
    config: AnyValue | None = None


@attrs.frozen(kw_only=True)
class Dimension:
    """One score and what it must reach."""

    weight: float | None = None
    min_score: float | None = None


@attrs.frozen(kw_only=True)
class PassPolicy:
    """How the scores become one."""

    strategy: str = "weighted_average"
    threshold: float | None = None


@attrs.frozen(kw_only=True)
class FailureAction:
    """What is done with an answer that is not good enough."""

    ACCEPTS_ANY_KEY: ClassVar[bool] = True
    """What an action needs (a text, a number of tries) is not documented where we could read it."""

    action: str | None = None
    """`block`, `retry`, `escalate`, or a text instead."""


@attrs.frozen(kw_only=True)
class QualityScorer:
    """Assertions, benchmarks and the scores that they must reach."""

    KIND: ClassVar[str] = "quality-scorer"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.OUTPUT,)

    industry: str | None = None
    min_output_chars: int | None = None
    min_sentences: int | None = None
    mock_scoring: bool = False
    providers: tuple[AnyValue, ...] = ()
    """Models that judge."""
    benchmarks: tuple[tuple[str, AnyValue], ...] = ()
    assertions: tuple[Assertion, ...] = ()
    thresholds: tuple[tuple[str, float], ...] = ()
    """`min_aggregate`, `min_faithfulness` and so on, 0 to 1."""
    weights: tuple[tuple[str, float], ...] = ()
    pass_policy: PassPolicy = PassPolicy()
    failure_action: FailureAction = FailureAction()
    min_score: float | None = None
    """The template's word for `thresholds.min_aggregate`."""
    dimensions: tuple[tuple[str, Dimension], ...] = ()
    overall_min_score: float | None = None
    on_fail: str | None = None
    """The word of the dialect with dimensions for `failure_action.action`."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads whole answers, asks models over the network and may block."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=True,
            edits=True,
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="answers are not scored")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return tuple(
            problem
            for field, number, most in self._numbers()
            for problem in out_of_range(field, number, 0, most)
        )

    def _numbers(self) -> Iterator[tuple[str, float | None, float]]:
        """Every number with its field and the most that it may be; none is negative."""
        yield "min_output_chars", self.min_output_chars, MOST
        yield "min_sentences", self.min_sentences, MOST
        yield "pass_policy.threshold", self.pass_policy.threshold, ONE
        yield "min_score", self.min_score, ONE
        yield "overall_min_score", self.overall_min_score, ONE
        for at, assertion in enumerate(self.assertions):
            yield f"assertions[{at}].threshold", assertion.threshold, ONE
            yield f"assertions[{at}].weight", assertion.weight, HEAVIEST
        for name, number in self.thresholds:
            yield f"thresholds.{name}", number, ONE
        for name, number in self.weights:
            yield f"weights.{name}", number, HEAVIEST
        for name, dimension in self.dimensions:
            yield f"dimensions.{name}.weight", dimension.weight, HEAVIEST
            yield f"dimensions.{name}.min_score", dimension.min_score, ONE
