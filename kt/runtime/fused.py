"""The output phase fused for streaming: one scan of all rules that act, one of those that record.

In: the stages of the output phase. Out: lanes, and one verdict per step at the end.

Steps with a `when` are compiled apart, each by itself, so that the rules of a request are put
together from what is there: whichever steps are for it, nothing is compiled while it waits.

A lane is judged as it grows (`GrowingLane`), but for the arguments of a tool call: they are JSON
inside a string, and what a rule looks for may be spelled there with escapes. They are collected up
to the hold's cap and judged decoded, like those of a whole answer (`ArgumentsLane`).
"""

from collections.abc import Iterator
from itertools import count
from typing import Protocol

import attrs

from kt.exchange import Lane, Surface
from kt.filters.evaluation import Predicate
from kt.filters.facts import FilterFacts
from kt.patterns.matcher import RuleParts, RuleSet, compile_parts
from kt.patterns.scanner import IsOver, OutOfTime, Scanner
from kt.plan import Scan, Stage, Step
from kt.policy import ACTING, ALLOW, Action, Edit, Finding, OnTrouble, Outcome, Verdict
from kt.runtime.conditions import condition_of
from kt.runtime.engine import edit_of
from kt.runtime.window import MAX_RECORDED, Blocked, HoldExceeded, LaneWindow, Owned
from kt.wire.arguments import edited_arguments, segments_of_arguments

Found = tuple[Owned, Finding]


class LaneState(Protocol):
    """One text on its way."""

    @property
    def held(self) -> int:
        """How many bytes wait for a decision."""

    @property
    def found(self) -> list[Found]:
        """Everything found so far, for the record."""

    def feed(self, text: str) -> str:
        """Take the next piece and return what may go on. Raises Blocked, HoldExceeded or Late."""

    def finish(self) -> str:
        """The text has ended; return the rest of what may go on. Does nothing the second time."""


class Late(Exception):
    """The time for judging is over, and `step` closes the gate then."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.name)
        self.step = step


@attrs.define
class GrowingLane:
    """A lane that is judged as it grows."""

    rules: "StreamRules"
    window: LaneWindow | None
    recorder: Scanner | None
    recorded: list[Finding] = attrs.field(factory=list)
    is_finished: bool = False
    is_open: bool = False
    """The time for judging was over, and every policy lets the text pass then."""

    @property
    def held(self) -> int:
        """How many bytes wait for a decision."""
        return 0 if self.window is None else self.window.held

    @property
    def found(self) -> list[Found]:
        """Everything found so far, for the record."""
        acting = self.window.findings if self.window is not None else []
        return [(self.rules.acting[one.rule], one) for one in acting] + [
            (self.rules.recording[one.rule], one) for one in self.recorded
        ]

    def feed(self, text: str) -> str:
        """Take the next piece and return what may go on."""
        if self.is_open:
            return text
        try:
            if self.recorder is not None:
                self._record(self.recorder.feed(text))
            return text if self.window is None else self.window.feed(text)
        except OutOfTime:
            return self._open(text)

    def finish(self) -> str:
        """The text has ended; return the rest of what may go on. Does nothing the second time."""
        if self.is_finished:
            return ""
        self.is_finished = True
        if self.is_open:
            return ""
        try:
            if self.recorder is not None:
                self._record(self.recorder.finish())
            return "" if self.window is None else self.window.finish()
        except OutOfTime:
            return self._open("")

    def _record(self, findings: tuple[Finding, ...]) -> None:
        self.recorded += findings[: MAX_RECORDED - len(self.recorded)]

    def _open(self, text: str) -> str:
        self.rules.demand_open()
        self.is_open = True
        return text if self.window is None else self.window.give_up()


@attrs.define
class ArgumentsLane:
    """The arguments of one tool call, collected and judged decoded at their end."""

    rules: "StreamRules"
    cap: int
    is_over: IsOver
    found: list[Found] = attrs.field(factory=list)
    _pieces: list[str] = attrs.field(factory=list)
    _size: int = 0

    @property
    def held(self) -> int:
        """How many bytes wait for a decision."""
        return self._size

    def feed(self, text: str) -> str:
        """Take the next piece; nothing goes on yet. Raises HoldExceeded."""
        self._pieces.append(text)
        self._size += len(text.encode())
        if self._size > self.cap:
            raise HoldExceeded
        return ""

    def finish(self) -> str:
        """The arguments are complete: return them edited. Raises Blocked."""
        text, self._pieces, self._size = "".join(self._pieces), [], 0
        try:
            return self._judged(text) if text else ""
        except OutOfTime:
            self.rules.demand_open()
            return text

    def _judged(self, text: str) -> str:
        segments = segments_of_arguments(text)
        edits: list[Edit] = []
        for at, segment in enumerate(segments):
            found = self.rules.find(segment.text, self.is_over)
            self.found += found
            edits += edits_for(found, at)
        return edited_arguments(text, segments, edits) if edits else text


@attrs.frozen
class StreamRules:
    """The rules of a phase with their owners, and which of them are looked for."""

    steps: tuple[Step, ...]
    """Those whose rules are looked for."""
    acting: tuple[Owned, ...]
    recording: tuple[Owned, ...]
    conditions: tuple[Predicate | None, ...]
    """Of each part: for which requests it is."""
    _acting_parts: RuleParts
    _recording_parts: RuleParts
    _acting_rules: RuleSet
    _recording_rules: RuleSet

    @classmethod
    def of(cls, stages: tuple[Stage, ...]) -> "StreamRules":
        """Fuse the scans of a phase, in declared order; all of them are looked for."""
        steps = tuple(
            step for stage in stages for step in stage.steps if isinstance(step.body, Scan)
        )
        conditions = (None, *(condition_of(step) for step in steps if step.when is not None))
        owned = list(_owned(steps))
        acting = tuple(one for one in owned if one.scan.action in ACTING)
        recording = tuple(one for one in owned if one.scan.action not in ACTING)
        everything = range(len(conditions))
        act, record = (_compiled(each, len(conditions)) for each in (acting, recording))
        return cls(
            steps=steps,
            acting=acting,
            recording=recording,
            conditions=conditions,
            acting_parts=act,
            recording_parts=record,
            acting_rules=act.chosen(everything),
            recording_rules=record.chosen(everything),
        )

    def for_request(self, facts: FilterFacts) -> "StreamRules":
        """The same, but only the rules of steps that are for the request with these facts."""
        if len(self.conditions) == 1:
            return self
        asked = [condition is None or condition(facts) for condition in self.conditions]
        which = [part for part, is_for in enumerate(asked) if is_for]
        return attrs.evolve(
            self,
            steps=tuple(step for step, part in _with_parts(self.steps) if asked[part]),
            acting_rules=self._acting_parts.chosen(which),
            recording_rules=self._recording_parts.chosen(which),
        )

    @property
    def acts(self) -> bool:
        """Whether a text may be changed or stopped at all."""
        return bool(self._acting_rules.lenses)

    def warm(self) -> None:
        """Let the engine build now what the first stream would wait for."""
        self._acting_rules.warm()
        self._recording_rules.warm()

    def find(self, text: str, is_over: IsOver) -> list[Found]:
        """Everything in a whole text, what acts first. Raises OutOfTime."""
        return [(self.acting[one.rule], one) for one in self._acting_rules.find(text, is_over)] + [
            (self.recording[one.rule], one) for one in self._recording_rules.find(text, is_over)
        ]

    def demand_open(self) -> None:
        """Raise Late unless every policy lets pass what it cannot judge."""
        closing = [step for step in self.steps if step.on_trouble is OnTrouble.BLOCK]
        if closing:
            raise Late(min(closing, key=lambda step: step.order))

    def lane(self, lane: Lane, hold: int, is_over: IsOver) -> LaneState:
        """The state of a text that begins now; `is_over` tells when no time is left for it."""
        if self.acts and lane.surface is Surface.TOOL_ARGUMENTS:
            return ArgumentsLane(self, hold, is_over)
        acting, recording = self._acting_rules, self._recording_rules
        return GrowingLane(
            self,
            LaneWindow(acting, self.acting, hold, is_over) if acting.lenses else None,
            recording.scanner(is_over) if recording.lenses else None,
        )

    def verdicts(self, found: list[Found], stopped: Blocked | Late | None) -> tuple[Verdict, ...]:
        """One verdict per step over everything that its rules found."""
        by_order: dict[int, list[Found]] = {step.order: [] for step in self.steps}
        for owner, finding in found:
            by_order[owner.step.order].append((owner, finding))
        return tuple(_verdict(step, by_order[step.order], stopped) for step in self.steps)


def edits_for(found: list[Found], segment: int) -> list[Edit]:
    """What becomes of a complete text in which this was found. Raises Blocked."""
    edits = []
    for owner, finding in found:
        if owner.scan.action is Action.REDACT:
            own = Finding(owner.index, finding.start, finding.end)
            edits.append(edit_of(owner.step, owner.scan, segment, own))
        elif owner.scan.action in ACTING:
            raise Blocked(owner, finding)
    return edits


def _with_parts(steps: tuple[Step, ...]) -> Iterator[tuple[Step, int]]:
    """Each step with the part that its rules are compiled in: 0, or its own if it has a `when`."""
    own = count(1)
    return ((step, 0 if step.when is None else next(own)) for step in steps)


def _owned(steps: tuple[Step, ...]) -> Iterator[Owned]:
    """Every rule, in declared order."""
    for step, part in sorted(_with_parts(steps), key=lambda pair: pair[0].order):
        if isinstance(step.body, Scan):
            for index in range(len(step.body.rules)):
                yield Owned(step, step.body, index, part)


def _compiled(owned: tuple[Owned, ...], parts: int) -> RuleParts:
    return compile_parts(tuple(one.rule for one in owned), tuple(one.part for one in owned), parts)


def _verdict(step: Step, found: list[Found], stopped: Blocked | Late | None) -> Verdict:
    if stopped is not None and stopped.step is step:
        if isinstance(stopped, Late):
            return Verdict(outcome=Outcome.LATE)
        found = [(stopped.owner, stopped.finding)]
    if not found:
        return ALLOW
    owner = found[0][0]
    return Verdict(
        outcome=Outcome(owner.scan.action.value),
        rule=owner.rule.id,
        spans=tuple(finding.end - finding.start for _, finding in found),
    )
