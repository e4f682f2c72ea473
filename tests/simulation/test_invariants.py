"""Each promise is found broken where it is broken: the tests of the simulation's eyes."""

from collections.abc import Callable

import attrs
import pytest

from kt.plan import Edge
from kt.simulation.invariants import INVARIANTS, broken
from kt.simulation.observed import Heard, Observed
from kt.simulation.reading import read_answers
from kt.simulation.schedule import Ask, Behavior, Kind, Manner, Provided, Schedule, Text, Visit
from kt.simulation.world import simulate

MAIL = "ann@example.com"


def asked(*says: tuple[Kind, str], stream: bool = True, **provided: object) -> Ask:
    """A request."""
    return Ask(
        id="sim-0-0.0",
        path="/v1/chat/completions",
        text=Text(((Kind.MAIL, MAIL), (Kind.PLAIN, " hello"))),
        says=Text(says or ((Kind.PLAIN, "well "), (Kind.MAIL, MAIL), (Kind.PLAIN, " done"))),
        stream=stream,
        user=None,
        attempts=(Provided(**provided),),  # type: ignore[arg-type]
    )


def run_of(ask: Ask, manner: Manner = Manner.STAYS, patience: float | None = None) -> Observed:
    """What is seen of one request."""
    visit = Visit(at=0.0, asks=(ask,), manner=manner, patience=patience, after=10**6)
    schedule = Schedule(seed=0, setup="redact and block", edge=Edge.LLHTTP, visits=(visit,))
    return simulate(schedule)


GOOD = run_of(asked())
LEFT = run_of(asked(behavior=Behavior.STALL), Manner.LEAVES, 1.0)


def with_bytes(change: Callable[[bytes], bytes]) -> Observed:
    """The good run, as if its client had got something else."""
    (heard,) = GOOD.heard
    other = Heard(heard.visit, heard.sent, bytearray(change(bytes(heard.received))))
    other.is_over = True
    return attrs.evolve(GOOD, heard=(other,))


def with_events(change: Callable[[bytes], bytes]) -> Observed:
    """The good run, as if its client had got other events."""

    def changed(data: bytes) -> bytes:
        head, end, _ = data.partition(b"\r\n\r\n")
        (seen,) = read_answers(data, is_ended=False)
        return head + end + chunk(change(seen.body)) + b"0\r\n\r\n"

    return with_bytes(changed)


def chunk(event: bytes) -> bytes:
    """An event as a chunk."""
    return b"%x\r\n%b\r\n" % (len(event), event)


DONE = b"data: [DONE]\n\n"
DELTA = b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n'


def with_exchange(**changes: object) -> Observed:
    """The good run, as if its provider had seen something else."""
    (one,) = GOOD.exchanged
    return attrs.evolve(GOOD, exchanged=(attrs.evolve(one, **changes),))  # type: ignore[arg-type]


def stopped_in_time() -> Observed:
    """A run in which a forbidden answer came to a good end."""
    ask = asked((Kind.STOP, "sesame123"))
    other = with_exchange(ask=ask)
    visit = attrs.evolve(GOOD.heard[0].visit, asks=(ask,))
    heard = Heard(visit, [], bytearray(GOOD.heard[0].received))
    return attrs.evolve(other, heard=(heard,))


def served_late() -> Observed:
    """A run whose client waits when all is over."""
    heard = Heard(GOOD.heard[0].visit, [], bytearray())
    return attrs.evolve(GOOD, heard=(heard,))


def refused() -> Observed:
    """A run in which a good request is refused."""
    body = b'{"error": {"code": "input_blocked"}}'
    head = b"HTTP/1.1 409 No\r\nx-request-id: sim-0-0.0\r\ncontent-length: %d\r\n\r\n" % len(body)
    return with_bytes(lambda _: head + body)


def wrong_status() -> Observed:
    """A refusal with another status than its code has."""
    return with_bytes(lambda _: bytes(refused().heard[0].received).replace(b"409", b"418"))


def asked_twice() -> Observed:
    """An answered request, sent on once more."""
    return attrs.evolve(GOOD, exchanged=GOOD.exchanged * 2)


def closed_late() -> Observed:
    """A run whose client left earlier than its provider was told."""
    (heard,) = LEFT.heard
    other = Heard(heard.visit, heard.sent, heard.received, heard.is_ended, 0.2, False, True)
    return attrs.evolve(LEFT, heard=(other,))


BROKEN: dict[str, Observed] = {
    "no bug shows": attrs.evolve(GOOD, log=("error: a connection met KeyError",)),
    "answers are well formed": with_bytes(lambda data: data + b"and more"),
    "no unsafe byte to clients": with_events(lambda data: data.replace(b"[EMAIL]", b"b@x.com")),
    "no unsafe byte to providers": with_exchange(
        body=GOOD.exchanged[0].body.replace(b"[EMAIL]", MAIL.encode())
    ),
    "what is forbidden ends in a refusal": stopped_in_time(),
    "one terminal event": with_events(lambda data: data + DELTA),
    "cuts are told": with_exchange(provided=Provided(behavior=Behavior.NO_DONE)),
    "statuses are known": wrong_status(),
    "everybody is answered": served_late(),
    "the good is served": refused(),
    "one event each": attrs.evolve(GOOD, events=GOOD.events * 2),
    "nobody is asked after an answer": asked_twice(),
    "upstream is closed with its client": closed_late(),
    "slots are given back": attrs.evolve(GOOD, left=attrs.evolve(GOOD.left, running=1)),
    "limits hold": attrs.evolve(GOOD, most_at_once=GOOD.limit + 1),
    "it ends": attrs.evolve(GOOD, tasks=1),
}
"""Promise -> a run in which it does not hold."""


def test_a_good_run_breaks_nothing() -> None:
    assert broken(GOOD) == ()
    assert broken(LEFT) == ()


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_broken_promise_is_found(name: str) -> None:
    assert name in {one.invariant for one in broken(BROKEN[name])}


@pytest.mark.parametrize(
    "run",
    [
        with_events(lambda data: data.replace(DONE, b"")),
        with_events(lambda data: data + DONE),
        attrs.evolve(GOOD, events=()),
        attrs.evolve(GOOD, drained=False),
        attrs.evolve(GOOD, open_connections=1),
        attrs.evolve(GOOD, events=({**GOOD.events[0], "status": 409},)),
    ],
)
def test_other_ways_to_break_them_are_found(run: Observed) -> None:
    assert broken(run)
