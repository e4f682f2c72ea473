"""What of a streamed answer goes out when: whatever the pace, the same bytes, and in time."""

import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterator

import attrs
import orjson
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from kt.errors import GatewayError
from kt.limits import Count, Limit, Streaming
from kt.plan import Plan
from kt.policy import Action
from kt.runtime.app import App
from kt.runtime.relay import AT_ONCE, GATHERED, PIECE_COST, QUANTUM, Pace, Relay, pace_of
from tests.support.asgi import Response
from tests.support.gateways import (
    chat,
    error_of,
    gateway,
    run_in_virtual_time,
    streamed_text,
)
from tests.support.plans import plan, scan_step
from tests.support.upstreams import Body, FakeProvider, chunk, stream_answer, streamed

Sent = list[tuple[float, bytes]]
"""What went to the client, and when."""


@attrs.define
class Timed:
    """A provider's pieces, each after a pause."""

    pieces: list[tuple[float, bytes]]
    _comes: float | None = None

    async def piece(self, until: float) -> bytes | None:
        """The next piece, as a connection of ours gives it."""
        if not self.pieces:
            return None
        if self._comes is None:
            self._comes = trio.current_time() + self.pieces[0][0]
        await trio.sleep_until(min(until, self._comes))
        if self._comes > until:
            return b""
        self._comes = None
        return self.pieces.pop(0)[1]


@attrs.define
class Lets:
    """A judge who lets everything pass, up to `!`, at which he refuses."""

    is_done: bool = False
    judged: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pass each byte."""
        self.judged += len(data)
        for byte in data:
            if byte == ord("!"):
                raise GatewayError("output_blocked", "no")
            yield bytes([byte])

    def end(self) -> Iterator[bytes]:
        """The end is the end."""
        self.is_done = True
        yield b"."


def relayed(
    pieces: list[tuple[float, bytes]], pace: Pace, kind: type[Relay] = Relay
) -> tuple[Sent, str | None]:
    """What is sent of these pieces, and the code of the refusal in which they end."""
    sent: Sent = []
    codes: list[str] = []

    async def send(data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        sent.append((trio.current_time(), data))

    async def main() -> None:
        try:
            await kind(Lets(), Timed([*pieces]), send, pace).run()
        except GatewayError as error:
            codes.append(error.code)

    run_in_virtual_time(main)
    return sent, codes[0] if codes else None


# ---- Law: whatever the pace, the same bytes; nothing waits longer, and no more is gathered

PIECES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 3.0]), st.binary(max_size=9).map(lambda b: b"x" + b)),
    max_size=8,
).map(lambda pieces: [(pause, data.replace(b"!", b"?")) for pause, data in pieces])
PACES = st.builds(
    Pace,
    st.sampled_from([0.0, 1.0, 4.0, 20.0, math.inf]),
    st.sampled_from([0.05, 0.1, 1.0, math.inf]),
)


def check_pace(pieces: list[tuple[float, bytes]], pace: Pace, kind: type[Relay] = Relay) -> None:
    """Hold what is sent against when it came."""
    sent, code = relayed(pieces, pace, kind)
    assert code is None
    data = b"".join(part for _, part in sent)
    assert data == b"".join(part for _, part in pieces) + b"."
    came = list(itertools.accumulate(pause for pause, _ in pieces))
    arrivals = [at for at, (_, part) in zip(came, pieces, strict=True) for _ in part]
    departures = [at for at, part in sent for _ in part]
    for gone, arrived in zip(departures, [*arrivals, departures[-1]], strict=True):
        assert arrived <= gone + 1e-9
        assert gone <= arrived + pace.seconds + 1e-9
    longest = max((len(part) for _, part in pieces), default=0)
    assert all(len(part) <= pace.size + max(1, longest) + 1 for _, part in sent)


@given(PIECES, PACES)
def test_any_pace_sends_the_same_bytes_in_time(
    pieces: list[tuple[float, bytes]], pace: Pace
) -> None:
    check_pace(pieces, pace)


class Forgetful(Relay):
    """A planted bug: what time releases is lost."""

    async def _relay(self, piece: bytes | None) -> None:
        if piece == b"":
            self._gathered.clear()
        await super()._relay(piece)


class Late(Relay):
    """A planted bug: each piece begins the wait again."""

    async def _relay(self, piece: bytes | None) -> None:
        await super()._relay(piece)
        if self._gathered:
            self._due = trio.current_time() + self._pace.seconds


class Hoarding(Relay):
    """A planted bug: size does not matter."""

    async def _gather(self, frames: Iterator[bytes]) -> None:
        self._pace, pace = Pace(math.inf, self._pace.seconds), self._pace
        await super()._gather(frames)
        self._pace = pace


@pytest.mark.parametrize("bug", [Forgetful, Late, Hoarding])
def test_planted_bugs_of_the_pace_are_found(bug: type[Relay]) -> None:
    pieces = [(0.0, b"abc"), (0.5, b"de"), (0.5, b"f"), (0.5, b"g"), (3.0, b"hij")]
    paces = [Pace(math.inf, 0.6), Pace(math.inf, 1.0), Pace(1.0)]
    for pace in paces:
        check_pace(pieces, pace)
    with pytest.raises(AssertionError):  # noqa: PT012 - one of the paces shows it
        for pace in paces:
            check_pace(pieces, pace, bug)


def test_time_ends_the_wait_for_more() -> None:
    sent, _ = relayed([(1.0, b"a"), (0.2, b"b"), (9.0, b"c")], Pace(100, 0.5))
    assert [data for _, data in sent] == [b"ab", b"c."]
    assert [at for at, _ in sent] == pytest.approx([1.5, 10.2])


def test_frames_of_one_piece_go_out_at_once() -> None:
    sent, _ = relayed([(0.0, b"abc"), (1.0, b"def")], AT_ONCE)
    assert [data for _, data in sent] == [b"abc", b"def", b"."]


# ---- Ends


@pytest.mark.parametrize(
    ("pace", "sent"),
    [
        (AT_ONCE, [b"ab"]),
        (Pace(100), []),
        (Pace(2), [b"ab"]),
        (Pace(100, 0.5), [b"ab"]),
    ],
)
def test_what_is_safe_goes_out_before_a_refusal_unless_none_did_yet(
    pace: Pace, sent: list[bytes]
) -> None:
    shown, code = relayed([(0.0, b"ab"), (1.0, b"!c")], pace)
    assert ([data for _, data in shown], code) == (sent, "output_blocked")


def test_what_is_gathered_behind_the_head_goes_out_before_a_refusal() -> None:
    shown, _ = relayed([(0.0, b"abc"), (1.0, b"d!")], Pace(3))
    assert [data for _, data in shown] == [b"abc", b"d"]


def test_no_more_is_gathered_than_the_limit() -> None:
    shown, code = relayed([(0.0, b"abcdef")], Pace(math.inf, limit=5))
    assert (shown, code) == ([], "bad_response")


# ---- Fairness


def test_a_large_piece_is_judged_in_turns_with_others() -> None:
    judge = Lets()
    seen: list[int] = []

    async def send(data: bytes) -> None:
        """A send that does not even look whether others want to run."""

    async def other() -> None:
        while not judge.is_done:
            seen.append(judge.judged)
            await trio.lowlevel.checkpoint()

    async def main() -> None:
        pieces = Timed([(0.0, b"x" * 50 * QUANTUM)])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            nursery.start_soon(Relay(judge, pieces, send, AT_ONCE).run)

    run_in_virtual_time(main)
    steps = [after - before for before, after in itertools.pairwise(seen)]
    assert 0 < max(steps) <= 2 * QUANTUM  # two, where the order of a round was another
    assert len(steps) >= 50


def test_tiny_pieces_that_are_always_there_are_taken_in_turns_with_others() -> None:
    taken = 0
    seen: list[int] = []

    class Always:
        async def piece(self, until: float) -> bytes | None:
            nonlocal taken
            taken += 1
            return b"x" if taken <= 10_000 else None

    judge = Lets()

    async def send(data: bytes) -> None:
        """As above."""

    async def other() -> None:
        while not judge.is_done:
            seen.append(taken)
            await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            nursery.start_soon(Relay(judge, Always(), send, AT_ONCE).run)

    run_in_virtual_time(main)
    steps = [after - before for before, after in itertools.pairwise(seen)]
    assert 0 < max(steps) <= 2 * QUANTUM // PIECE_COST


class Endless(Body):
    """A provider that is always readable, and says nothing that anybody would be sent."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Send without a pause."""
        while True:
            await trio.lowlevel.checkpoint_if_cancelled()
            yield b":\n" * 4000


@attrs.define(eq=False)
class Rounds(trio.abc.Instrument):
    """Counts the scheduler's rounds."""

    count: int = 0

    def before_io_wait(self, timeout: float) -> None:
        """One more."""
        self.count += 1


def test_another_request_is_answered_while_a_stream_never_pauses() -> None:
    rounds = Rounds()

    async def main() -> None:
        bodies = iter([Endless([]), Body([streamed(["fine"])])])
        provider = FakeProvider(lambda _: stream_answer(next(bodies)))
        async with gateway(plan(), provider) as app, trio.open_nursery() as nursery:
            nursery.start_soon(_chat, app)
            for _ in range(50):
                await trio.lowlevel.checkpoint()
            before = rounds.count
            answer = await chat(app, "hello", stream=True)
            assert streamed_text(answer.body) == "fine"
            assert 0 < rounds.count - before < 100
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0), instruments=[rounds])


async def _chat(app: App) -> None:
    await chat(app, "hello", stream=True)


# ---- The plan


def streaming(
    gathered: int | None = None, flush: float | None = None, duration: float | None = None
) -> Streaming:
    """What a plan says of streams."""
    return Streaming(
        gathered=None if gathered is None else Count(gathered, origin="test"),
        flush=None if flush is None else Limit(flush, origin="test"),
        duration=None if duration is None else Limit(duration, origin="test"),
    )


def test_the_pace_is_the_plans() -> None:
    def pace(**given: float) -> Pace:
        return pace_of(attrs.evolve(plan(), streaming=streaming(**given)))  # type: ignore[arg-type]

    assert pace() == AT_ONCE
    assert pace(gathered=9) == Pace(9)
    assert pace(flush=2.0) == Pace(GATHERED, 2.0)
    assert pace(gathered=9, flush=2.0) == Pace(9, 2.0)
    whole = plan(keep_answer_whole=True, response_body=7)
    assert pace_of(whole) == Pace(math.inf, limit=7)


def answers(the_plan: Plan, body: Body, check: Callable[[Response, float], None]) -> None:
    """Let a gateway with this plan stream this, and look at what comes."""

    async def main() -> None:
        async with gateway(the_plan, FakeProvider(lambda _: stream_answer(body))) as app:
            check(await chat(app, "hello", stream=True), trio.current_time())

    run_in_virtual_time(main)


def test_a_stream_ends_with_one_error_frame_when_its_time_is_over() -> None:
    body = Body(itertools.repeat(chunk({"content": "more "})), 1.0)

    def check(answer: Response, now: float) -> None:
        assert error_of(answer.body)["code"] == "stream_timeout"
        assert streamed_text(answer.body) == "more " * 6
        assert answer.is_complete
        assert now == pytest.approx(6.5)  # its clock began with the first text, after a second

    answers(attrs.evolve(plan(), streaming=streaming(duration=5.5)), body, check)
    assert body.is_closed


def test_what_a_size_lets_wait_is_judged_before_the_head_goes() -> None:
    body = Body([chunk({"content": "much text "}), streamed(["secret"])], 1.0)
    the_plan = plan(scan_step("stop", "secret", action=Action.BLOCK))

    def check(answer: Response, _: float) -> None:
        assert answer.status == 409
        assert orjson.loads(answer.body)["error"]["code"] == "output_blocked"

    answers(attrs.evolve(the_plan, streaming=streaming(gathered=5000)), body, check)
