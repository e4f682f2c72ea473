"""Judge a streamed answer event by event. No I/O: upstream bytes in, the client's frames out.

Theory of operation. Upstream bytes become events, an event's texts go to the window of their lane
(`kt.runtime.window`), and the event goes on with the text that its lanes release. An event whose
texts are released whole is forwarded as it came. What a lane still holds when its choice finishes
goes out before the finish event. Usage and `[DONE]` follow all choices.

Until the first text is released (or a choice finishes) events are kept back, so that an answer that
is blocked before any of it was seen is a plain refusal and not a broken stream.

Rules of this file: an answer ends in `[DONE]`, in the provider's own error frame, or in a
GatewayError; after the end nothing is looked at; text after a choice's finish is a bad answer,
because what was released at the finish was judged as complete.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from kt.errors import GatewayError
from kt.exchange import Lane, Path
from kt.policy import Outcome
from kt.runtime.engine import PolicyBudget
from kt.runtime.fused import Found, LaneState, Late, StreamRules
from kt.runtime.settle import Decision, Judged, blocked, settle, unavailable
from kt.runtime.window import Blocked, HoldExceeded
from kt.wire.chat import Chunk, Delta, held_chunk, is_error, read_chunk, rewrite_chunk, usage_of
from kt.wire.json_body import JsonValue, parse_lenient
from kt.wire.sse import Event, SseReader, frame

DONE = b"[DONE]"
MAX_LANES = 256
"""How many texts may grow in one answer: choices times surfaces times tool calls."""
EVENT_SECONDS = 0.25
"""The longest judging of one event: it happens in the loop that serves everybody."""
MAX_EVENT = 2**20
"""The largest single event in bytes."""


@attrs.define
class AnswerStream:
    """One streamed answer on its way through the output phase."""

    rules: StreamRules
    hold: int
    """The most bytes that one lane may hold back."""
    budget: PolicyBudget
    is_done: bool = False
    upstream_failed: bool = False
    """The provider ended the stream with an error frame of its own."""
    usage: tuple[int | None, int | None] = (None, None)
    seconds: float = 0.0
    """Time spent judging."""
    most_held: int = 0
    _reader: SseReader = attrs.field(factory=lambda: SseReader(MAX_EVENT))
    _lanes: dict[Lane, LaneState] = attrs.field(factory=dict)
    _finished: set[int] = attrs.field(factory=set)
    _template: JsonValue = None
    """The last chunk with a choice: held text goes out in its likeness."""
    _kept: list[bytes] = attrs.field(factory=list)
    """Events from before the first released text."""
    _kept_size: int = 0
    _has_released: bool = False
    _usage_frames: list[bytes] = attrs.field(factory=list)
    """Usage events that came while lanes still held text."""
    _usage_size: int = 0
    _whole_found: list[Found] = attrs.field(factory=list)
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
        found = [*self._whole_found, *(one for lane in self._lanes.values() for one in lane.found)]
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
        elif event.data == DONE:
            yield from self._close()
        else:
            yield from self._value(event, parse_lenient(event.data))

    def _value(self, event: Event, value: JsonValue) -> Iterator[bytes]:
        if is_error(value):
            self.is_done = self.upstream_failed = True
            yield from self._released(event.forwardable)
            return
        chunk = read_chunk(value)
        if chunk.choices:
            self._template = value
        if chunk.has_usage:
            self.usage = usage_of(value)
        yield from self._chunk(event, chunk)

    def _chunk(self, event: Event, chunk: Chunk) -> Iterator[bytes]:
        with self._refusing():
            texts = self._judge(chunk)
            tails = self._finish(chunk, texts)
        yield from self._out(event, chunk, texts, tails)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn what stops a lane into what the client is told."""
        try:
            yield
        except Blocked as stop:
            self._stopped = stop
            raise blocked(stop.step) from None
        except Late as stop:
            self._stopped = stop
            raise unavailable(stop.step, Outcome.LATE) from None
        except HoldExceeded:
            message = "the answer cannot be judged within the allowed hold"
            raise GatewayError("hold_exceeded", message) from None

    def _judge(self, chunk: Chunk) -> dict[Path, str]:
        """Feed every text of the chunk to its lane; what each path may show now."""
        texts: dict[Path, str] = {}
        for delta in chunk.deltas:
            if delta.is_whole:
                texts[delta.path] = self._judge_whole(delta)
                continue
            if delta.lane.choice in self._finished:
                raise GatewayError("bad_response", "the provider went on after a choice's finish")
            state = self._lane(delta.lane)
            texts[delta.path] = state.feed(delta.text)
            self.most_held = max(self.most_held, state.held)
        return texts

    def _judge_whole(self, delta: Delta) -> str:
        """A text that is complete in its event: what may show of it."""
        state = self.rules.lane(delta.lane, MAX_EVENT, self._is_over)
        shown = state.feed(delta.text) + state.finish()
        self._whole_found += state.found
        return shown

    def _lane(self, lane: Lane) -> LaneState:
        state = self._lanes.get(lane)
        if state is None:
            if len(self._lanes) >= MAX_LANES:
                raise _too_many_parts()
            state = self._lanes[lane] = self.rules.lane(lane, self.hold, self._is_over)
        return state

    def _finish(self, chunk: Chunk, texts: dict[Path, str]) -> list[tuple[Lane, str]]:
        """End the lanes of finished choices: their rest joins this chunk or goes out before it."""
        paths = {delta.lane: delta.path for delta in chunk.deltas}
        tails = []
        for choice in chunk.finished:
            self._finished.add(choice)
            if len(self._finished) > MAX_LANES:
                raise _too_many_parts()
            for lane, rest in self._rests(choice):
                if lane in paths:
                    texts[paths[lane]] += rest
                else:
                    tails.append((lane, rest))
        return tails

    def _rests(self, choice: int | None) -> list[tuple[Lane, str]]:
        lanes = [lane for lane in self._lanes if choice is None or lane.choice == choice]
        rests = [(lane, self._lanes[lane].finish()) for lane in lanes]
        return [(lane, rest) for lane, rest in rests if rest]

    def _out(
        self, event: Event, chunk: Chunk, texts: dict[Path, str], tails: list[tuple[Lane, str]]
    ) -> Iterator[bytes]:
        yield from self._held(tails)
        shown = self._shown(event, chunk, texts)
        if chunk.has_usage and not chunk.choices and any(one.held for one in self._lanes.values()):
            self._postpone(shown)
        elif chunk.finished or any(texts.values()):
            yield from self._released(shown)
        elif not _is_emptied(chunk, texts):
            yield from self._released(shown) if self._has_released else self._keep(shown)

    def _shown(self, event: Event, chunk: Chunk, texts: dict[Path, str]) -> bytes:
        is_untouched = all(texts[delta.path] == delta.text for delta in chunk.deltas)
        if event.data is None or (is_untouched and not (chunk.has_logprobs and self.rules.acts)):
            return event.forwardable
        return frame(rewrite_chunk(event.data, chunk, texts), event.name)

    def _held(self, tails: list[tuple[Lane, str]]) -> Iterator[bytes]:
        for lane, rest in tails:
            yield from self._released(frame(held_chunk(self._template, lane, rest)))

    def _close(self) -> Iterator[bytes]:
        """`[DONE]`: whatever is still held is complete now."""
        with self._refusing():
            tails = self._rests(None)
        self.is_done = True
        yield from self._held(tails)
        for late in self._usage_frames:
            yield from self._released(late)
        yield from self._released(frame(DONE))

    def _postpone(self, usage: bytes) -> None:
        self._usage_frames.append(usage)
        self._usage_size += len(usage)
        if self._usage_size > MAX_EVENT:
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
    had_text = any(delta.text for delta in chunk.deltas)
    return had_text and not any(texts.values()) and chunk.is_only_text
