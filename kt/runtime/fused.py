"""The output phase fused for streaming: one scan of all rules that act, one of those that record.

In: the stages of the output phase. Out: lane states, and one verdict per step at the end.
"""

import attrs

from kt.patterns.matcher import RuleSet, compile_rules
from kt.patterns.scanner import Scanner
from kt.plan import Scan, Stage, Step
from kt.policy import ALLOW, Action, Finding, Outcome, Verdict
from kt.runtime.window import Blocked, LaneWindow, Owned

ACTING = frozenset({Action.BLOCK, Action.ESCALATE, Action.REDACT})
"""Actions that decide what the client sees; the others never hold anything back."""


@attrs.define
class LaneState:
    """One lane: the window of what acts, the scanner of what only records."""

    window: LaneWindow | None
    recorder: Scanner | None
    recorded: list[Finding] = attrs.field(factory=list)
    is_finished: bool = False

    @property
    def held(self) -> int:
        """How many bytes wait for a decision."""
        return 0 if self.window is None else self.window.held

    def feed(self, text: str) -> str:
        """Take the next piece and return what may go on."""
        if self.recorder is not None:
            self.recorded += self.recorder.feed(text)
        return text if self.window is None else self.window.feed(text)

    def finish(self) -> str:
        """The text has ended; return the rest of what may go on. Does nothing the second time."""
        if self.is_finished:
            return ""
        self.is_finished = True
        if self.recorder is not None:
            self.recorded += self.recorder.finish()
        return "" if self.window is None else self.window.finish()


@attrs.frozen
class StreamRules:
    """The rules of a phase with their owners."""

    steps: tuple[Step, ...]
    acting: tuple[Owned, ...]
    recording: tuple[Owned, ...]
    _acting_rules: RuleSet
    _recording_rules: RuleSet

    @classmethod
    def of(cls, stages: tuple[Stage, ...]) -> "StreamRules":
        """Fuse the scans of a phase, in declared order."""
        steps = tuple(step for stage in stages for step in stage.steps)
        owned = [
            Owned(step, step.body, index)
            for step in sorted(steps, key=lambda step: step.order)
            if isinstance(step.body, Scan)
            for index in range(len(step.body.rules))
        ]
        acting = tuple(one for one in owned if one.scan.action in ACTING)
        recording = tuple(one for one in owned if one.scan.action not in ACTING)
        return cls(
            steps,
            acting,
            recording,
            compile_rules(tuple(one.rule for one in acting)),
            compile_rules(tuple(one.rule for one in recording)),
        )

    @property
    def acts(self) -> bool:
        """Whether a text may be changed or stopped at all."""
        return bool(self.acting)

    def lane(self, hold: int) -> LaneState:
        """The state of a text that begins now."""
        return LaneState(
            LaneWindow(self._acting_rules, self.acting, hold) if self.acting else None,
            self._recording_rules.scanner() if self.recording else None,
        )

    def verdicts(
        self, lanes: tuple[LaneState, ...], stopped: Blocked | None
    ) -> tuple[Verdict, ...]:
        """One verdict per step over everything that its rules found."""
        found: dict[int, list[tuple[Owned, Finding]]] = {}
        for lane in lanes:
            for finding in lane.window.findings if lane.window is not None else ():
                found.setdefault(self.acting[finding.rule].step.order, []).append(
                    (self.acting[finding.rule], finding)
                )
            for finding in lane.recorded:
                found.setdefault(self.recording[finding.rule].step.order, []).append(
                    (self.recording[finding.rule], finding)
                )
        return tuple(_verdict(step, found.get(step.order, []), stopped) for step in self.steps)


def _verdict(step: Step, found: list[tuple[Owned, Finding]], stopped: Blocked | None) -> Verdict:
    if stopped is not None and stopped.step.order == step.order:
        found = [(stopped.owner, stopped.finding)]
    if not found:
        return ALLOW
    owner = found[0][0]
    return Verdict(
        outcome=Outcome(owner.scan.action.value),
        rule=owner.rule.id,
        spans=tuple(finding.end - finding.start for _, finding in found),
    )
