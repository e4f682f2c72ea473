"""Judge a streamed answer event by event. No I/O: upstream bytes in, the client's frames out.

Theory of operation. Upstream bytes become events, an event's texts go to the window of their lane
(`kt.runtime.window`), and the event goes on with the text that its lanes release. An event whose
texts are released whole is forwarded as it came. What a lane still holds when its choice finishes
goes out before the finish event. Usage and `[DONE]` follow all choices.

Until the first text is released (or a choice finishes) events are kept back, so that an answer that
is blocked before any of it was seen is a plain refusal and not a broken stream.

Rules of this file: an answer ends in `[DONE]`, in the provider's own error frame, or in a
GatewayError; after the end nothing is accepted; text after a choice's finish is a bad answer,
because what was released at the finish was judged as complete.
"""

from collections.abc import Iterator

import attrs

from kt.errors import GatewayError
from kt.exchange import Lane
from kt.patterns.matcher import RuleSet, compile_rules
from kt.plan import Scan, Stage, Step
from kt.policy import Action, Edit, Outcome, Verdict
from kt.runtime.settle import Judged, blocked
from kt.runtime.window import Blocked, HoldExceeded, LaneWindow, Owned
from kt.wire.chat import Chunk, held_chunk, is_error, read_chunk, rewrite_chunk
from kt.wire.json_body import JsonValue, parse_lenient
from kt.wire.sse import Event, SseReader, frame

DONE = b"[DONE]"
MAX_LANES = 256
"""How many texts may grow in one answer: choices times surfaces times tool calls."""
MAX_EVENT = 1024 * 1024
"""The largest single event in bytes."""


@attrs.frozen
class StreamRules:
    """The output phase, fused for streaming: every rule of every step with its owner."""

    rules: RuleSet
    owners: tuple[Owned, ...]
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, stages: tuple[Stage, ...]) -> "StreamRules":
        """Fuse the scans of a phase, in declared order."""
        steps = tuple(step for stage in stages for step in stage.steps)
        owners = tuple(
            Owned(step, step.body, index)
            for step in sorted(steps, key=lambda step: step.order)
            if isinstance(step.body, Scan)
            for index in range(len(step.body.rules))
        )
        return cls(compile_rules(tuple(owner.rule for owner in owners)), owners, steps)


@attrs.define
class AnswerStream:
    """One streamed answer on its way through the output phase."""

    rules: StreamRules
    hold: int
    """The most bytes that one lane may hold back."""
    is_done: bool = False
    upstream_failed: bool = False
    """The provider ended the stream with an error frame of its own."""
    usage: JsonValue = None
    most_held: int = 0
    _reader: SseReader = attrs.field(factory=lambda: SseReader(MAX_EVENT))
    _lanes: dict[Lane, LaneWindow] = attrs.field(factory=dict)
    _finished: set[int] = attrs.field(factory=set)
    _template: JsonValue = None
    """The last chunk with a choice: held text goes out in its likeness."""
    _kept: list[bytes] = attrs.field(factory=list)
    """Events from before the first released text."""
    _kept_bytes: int = 0
    _has_released: bool = False
    _late: list[bytes] = attrs.field(factory=list)
    """Usage events that came before every choice had finished."""
    _recorded: dict[int, Edit | Blocked] = attrs.field(factory=dict)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Frames that may go to the client now. Raises GatewayError where the answer must end."""
        for event in self._reader.feed(data):
            yield from self._event(event)

    def end(self) -> Iterator[bytes]:
        """The upstream's body has ended. Raises GatewayError if the answer has not."""
        for event in self._reader.finish():
            yield from self._event(event)
        if not self.is_done:
            raise GatewayError("upstream_cut", "the provider's answer ended without its end marker")

    def judged(self, seconds: float) -> tuple[Judged, ...]:
        """One verdict per step over the whole answer; `seconds` is the time spent in total."""
        edits = [edit for window in self._lanes.values() for edit in window.edits]
        share = seconds / max(1, len(self.rules.steps))
        return tuple(Judged(step, self._verdict(step, edits), share) for step in self.rules.steps)

    def _verdict(self, step: Step, edits: list[Edit]) -> Verdict:
        scan = step.body
        own = [edit for edit in edits if edit.order == step.order]
        stopped = self._recorded.get(step.order)
        if isinstance(stopped, Blocked):
            length = stopped.finding.end - stopped.finding.start
            outcome = Outcome(stopped.action.value)
            return Verdict(outcome=outcome, rule=stopped.rule.id, spans=(length,))
        if not own or not isinstance(scan, Scan):
            return Verdict(outcome=Outcome.ALLOW)
        return Verdict(
            outcome=Outcome.REDACT,
            rule=scan.rules[own[0].rule].id,
            spans=tuple(edit.end - edit.start for edit in own),
        )
