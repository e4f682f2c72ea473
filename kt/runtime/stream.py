"""Judge a streamed answer event by event. No I/O: upstream bytes in, the client's frames out.

Theory of operation. Upstream bytes become events, an event's texts go to the window of their lane
(`kt.runtime.window`), and the event goes on with the text that its lanes release. An event whose
texts are released whole is forwarded as it came. What a lane still holds when its choice finishes
goes out before the finish event. Usage and `[DONE]` follow all choices.

Until the first text is released (or a choice finishes) events are kept back, so that an answer that
is blocked before any of it was seen is a plain refusal and not a broken stream.

Rules of this file: an answer ends in its format's last event, in the provider's own error frame,
or in a GatewayError; after the end nothing is looked at; text after the end of its lane is a bad
answer, because what was released there was judged as complete; what an event repeats of a lane is
judged, and recorded only if the lane has not been.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from kt.errors import GatewayError
from kt.exchange import Path, Place
from kt.patterns.scanner import OutOfTime
from kt.policy import Edit, Outcome
from kt.runtime.engine import PolicyBudget
from kt.runtime.fused import Found, LaneState, Late, StreamRules, edits_for
from kt.runtime.settle import Decision, Judged, blocked, settle, unavailable
from kt.runtime.window import Blocked, HoldExceeded
from kt.wire.chunks import NO_USAGE, Chunk, Delta, Usage, Whole, rewritten
from kt.wire.format import StreamFormat
from kt.wire.json_body import JsonValue, parse_lenient
from kt.wire.sse import Event, SseReader, frame

MAX_LANES = 256
"""How many texts may grow at once in one answer: choices times surfaces times tool calls."""
MAX_ENDED = 10_000
"""How many texts one answer may have in total."""
MAX_FOUND = 10_000
"""How many findings are kept for the record; all of them are acted on."""
EVENT_SECONDS = 0.25
"""The longest judging of one event: it happens in the loop that serves everybody."""
MAX_EVENT = 2**20
"""The largest single event in bytes."""


@attrs.define
class AnswerStream:
    """One streamed answer on its way through the output phase."""

    format: StreamFormat
    rules: StreamRules
    hold: int
    """The most bytes that one lane may hold back."""
    budget: PolicyBudget
    max_event: int = MAX_EVENT
    """The largest single event in bytes."""
    is_done: bool = False
    upstream_failed: bool = False
    """The provider ended the stream with an error of its own."""
    usage: Usage = NO_USAGE
    number: int = 0
    """The last event's number, where the format counts them."""
    seconds: float = 0.0
    """Time spent judging."""
    most_held: int = 0
    _reader: SseReader = attrs.field(
        default=attrs.Factory(lambda self: SseReader(self.max_event), takes_self=True)
    )
    _lanes: dict[Place, LaneState] = attrs.field(factory=dict)
    """The texts that grow."""
    _latest: dict[Place, Delta] = attrs.field(factory=dict)
    """The last piece of each: held text goes out in its likeness."""
    _ended: set[Place] = attrs.field(factory=set)
    """Texts that were judged to their end, in a lane or in an event."""
    _finished: set[int] = attrs.field(factory=set)
    _has_ended: bool = False
    """Every lane has."""
    _kept: list[bytes] = attrs.field(factory=list)
    """Events from before the first released text."""
    _kept_size: int = 0
    _has_released: bool = False
    _late_frames: list[bytes] = attrs.field(factory=list)
    """Events that belong behind all texts, and came while lanes still held some."""
    _late_size: int = 0
    _found: list[Found] = attrs.field(factory=list)
    """What was found in texts that are over."""
    _stopped: Blocked | Late | None = None
    _since: float = 0.0
    """When the judging of the current event began."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Frames that may go to the client now. Raises GatewayError where the answer must end."""
        for event in self._reader.feed(data):
            yield from self._timed(event)

    def end(self) -> Iterator[bytes]:
        """The upstream's body has ended. Raises GatewayError if the answer has not."""
        for event in self._reader.finish():
            yield from self._timed(event)
        if not self.is_done:
            raise GatewayError("upstream_cut", "the provider's answer ended without its end marker")

    def decision(self) -> Decision:
        """What the output phase came to, for the record."""
        found = [*self._found, *(one for lane in self._lanes.values() for one in lane.found)]
        share = self.seconds / max(1, len(self.rules.steps))
        verdicts = self.rules.verdicts(found, self._stopped)
        return settle(
            Judged(step, verdict, share)
            for step, verdict in zip(self.rules.steps, verdicts, strict=True)
        )

    def _timed(self, event: Event) -> list[bytes]:
        self._since = trio.current_time()
        try:
            return list(self._event(event))
        finally:
            spent = trio.current_time() - self._since
            self.seconds += spent
            self.budget.remaining -= spent

    def _is_over(self) -> bool:
        """Whether the policy budget is used up, or this event's share of everybody's time."""
        return trio.current_time() - self._since >= min(self.budget.remaining, EVENT_SECONDS)

    def _event(self, event: Event) -> Iterator[bytes]:
        if self.is_done:
            return
        if event.data is None:
            yield from [event.forwardable] if self._has_released else []
        elif event.data == self.format.done:
            yield from self._close(event)
        else:
            yield from self._value(event, parse_lenient(event.data))

    def _value(self, event: Event, value: JsonValue) -> Iterator[bytes]:
        if self.format.is_error(value):
            self.is_done = self.upstream_failed = True
            yield from self._released(event.forwardable)
            return
        chunk = self.format.read(value)
        self._note(chunk)
        yield from self._chunk(event, chunk)
        self.is_done = chunk.is_last

    def _note(self, chunk: Chunk) -> None:
        if chunk.usage is not NO_USAGE:
            asked, answered = chunk.usage
            self.usage = (
                self.usage[0] if asked is None else asked,
                self.usage[1] if answered is None else answered,
            )
        self.number = self.number if chunk.number is None else chunk.number
        self.upstream_failed = chunk.is_failure

    def _chunk(self, event: Event, chunk: Chunk) -> Iterator[bytes]:
        with self._refusing():
            edits = self._judge_whole(chunk.whole)
            texts = self._judge(chunk)
            tails = self._finish(chunk, texts)
        yield from self._held(tails)
        yield from self._out(event, chunk, texts, edits)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn what stops a lane into what the client is told."""
        try:
            yield
        except Blocked as stop:
            self._stopped = stop
            raise blocked(stop.step, Outcome(stop.owner.scan.action.value)) from None
        except Late as stop:
            self._stopped = stop
            raise unavailable(stop.step, Outcome.LATE) from None
        except HoldExceeded:
            message = "the answer cannot be judged within the allowed hold"
            raise GatewayError("hold_exceeded", message) from None

    def _judge(self, chunk: Chunk) -> dict[Path, str]:
        """Feed every growing text of the event to its lane; what each path may show now."""
        texts: dict[Path, str] = {}
        for delta in chunk.growing:
            state = self._lane(delta)
            texts[delta.path] = state.feed(delta.text)
            self.most_held = max(self.most_held, state.held)
        return texts

    def _lane(self, delta: Delta) -> LaneState:
        place = delta.lane.place
        self._latest[place] = delta
        state = self._lanes.get(place)
        if state is not None:
            return state
        if self._has_ended or delta.lane.choice in self._finished or place in self._ended:
            raise GatewayError("bad_response", "the provider went on after the end of a text")
        if len(self._lanes) >= MAX_LANES:
            raise _too_many_parts()
        return self._lanes.setdefault(place, self.rules.lane(delta.lane, self.hold, self._is_over))

    def _judge_whole(self, texts: tuple[Whole, ...]) -> list[Edit]:
        """Judge what is complete in its event; the edits of its segments."""
        edits: list[Edit] = []
        try:
            for at, one in enumerate(texts):
                found = self.rules.find(one.segment.text, self._is_over)
                self._record(one.repeats, found)
                edits += edits_for(found, at)
        except OutOfTime:
            self.rules.demand_open()
        return edits

    def _record(self, place: Place | None, found: list[Found]) -> None:
        """Note findings, but not a second time those of a text that is only repeated."""
        if not found or place in self._ended or place in self._lanes:
            return
        self._keep_found(found)
        if place is not None:
            self._note_end(place)

    def _keep_found(self, found: list[Found]) -> None:
        self._found += found[: MAX_FOUND - len(self._found)]

    def _finish(self, chunk: Chunk, texts: dict[Path, str]) -> list[tuple[Delta, str]]:
        """End lanes: what they still hold joins this event, or goes out before it."""
        if not (chunk.finished or chunk.ended or chunk.is_end):
            return []
        paths = {delta.lane.place: delta.path for delta in chunk.growing}
        self._finished.update(chunk.finished)
        if len(self._finished) > MAX_ENDED:
            raise _too_many_parts()
        self._has_ended = self._has_ended or chunk.is_end
        over = [place for place in self._lanes if self._is_ended(place, chunk)]
        tails = []
        for delta, rest in self._rests(over):
            if delta.lane.place in paths:
                texts[paths[delta.lane.place]] += rest
            else:
                tails.append((delta, rest))
        return tails

    def _is_ended(self, place: Place, chunk: Chunk) -> bool:
        return chunk.is_end or place[0] in chunk.finished or place in chunk.ended

    def _rests(self, places: list[Place]) -> list[tuple[Delta, str]]:
        """End these lanes and return what they held."""
        rests = []
        for place in places:
            rest = self._lanes[place].finish()
            self._keep_found(self._lanes.pop(place).found)
            delta = self._latest.pop(place)
            self._note_end(place)
            if rest:
                rests.append((delta, rest))
        return rests

    def _note_end(self, place: Place) -> None:
        self._ended.add(place)
        if len(self._ended) > MAX_ENDED:
            raise _too_many_parts()

    def _out(
        self, event: Event, chunk: Chunk, texts: dict[Path, str], edits: list[Edit]
    ) -> Iterator[bytes]:
        if chunk.is_repetition and self.rules.acts:
            return
        shown = self._shown(event, chunk, texts, edits)
        if chunk.follows_all and any(one.held for one in self._lanes.values()):
            self._postpone(shown)
        elif chunk.finished or chunk.is_end or chunk.whole or any(texts.values()):
            yield from self._released(shown)
        elif not _is_emptied(chunk, texts):
            yield from self._released(shown) if self._has_released else self._keep(shown)

    def _shown(
        self, event: Event, chunk: Chunk, texts: dict[Path, str], edits: list[Edit]
    ) -> bytes:
        is_untouched = all(texts[delta.path] == delta.text for delta in chunk.growing)
        loses = bool(chunk.repetitions) and self.rules.acts
        if event.data is None or (is_untouched and not edits and not loses):
            return event.forwardable
        return frame(rewritten(event.data, chunk, texts, edits), event.name)

    def _held(self, tails: list[tuple[Delta, str]]) -> Iterator[bytes]:
        for delta, rest in tails:
            yield from self._released(self.format.held(delta, rest))

    def _close(self, event: Event) -> Iterator[bytes]:
        """The end marker: whatever is still held is complete now."""
        with self._refusing():
            tails = self._rests(list(self._lanes))
        self.is_done = True
        yield from self._held(tails)
        for late in self._late_frames:
            yield from self._released(late)
        yield from self._released(event.forwardable)

    def _postpone(self, data: bytes) -> None:
        self._late_frames.append(data)
        self._late_size += len(data)
        if self._late_size > MAX_EVENT:
            raise _too_many_parts()

    def _released(self, data: bytes) -> Iterator[bytes]:
        self._has_released = True
        yield from self._kept
        self._kept.clear()
        yield data

    def _keep(self, data: bytes) -> Iterator[bytes]:
        self._kept.append(data)
        self._kept_size += len(data)
        if self._kept_size > MAX_EVENT:
            # They carry no text; a provider that sends nothing else does not fill our memory.
            yield from self._released(b"")


def _too_many_parts() -> GatewayError:
    return GatewayError("bad_response", "the provider's answer has too many parts")


def _is_emptied(chunk: Chunk, texts: dict[Path, str]) -> bool:
    """Whether withholding its text left nothing in a chunk that is worth sending."""
    return chunk.is_only_text and not any(texts.values())
