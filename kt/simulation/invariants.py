"""The promises of the gateway, each read off what was seen of a run from outside.

In: an Observed. Out: what breaks the promise, in words. Never: a look inside of the gateway, but
for what it still holds at the end.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

import attrs

from kt.errors import REFUSALS
from kt.simulation.observed import Heard, Observed
from kt.simulation.reading import Said, Seen, Unreadable, asked_text, read_answers, read_said
from kt.simulation.schedule import (
    UNFINISHED,
    WELL_BEHAVED,
    Ask,
    Behavior,
    Dialing,
    Kind,
    Manner,
    Provided,
)
from kt.simulation.setups import SETUPS

Invariant = Callable[[Observed], Iterator[str]]

AT_ONCE = 0.001
"""Seconds that are no time."""
PASSED_ON = frozenset({400, 429})
"""What simulated providers answer that clients get as it is."""
_MORE = re.compile(r"(?:more )+(?:m|mo|mor|more)?$")
CALM = frozenset({Manner.STAYS, Manner.SLOW, Manner.DRIBBLES})


@attrs.frozen
class Answered:
    """A request, what came back, and what that says."""

    ask: Ask
    heard: Heard
    seen: Seen
    said: Said
    is_last: bool
    """Nothing followed on its connection."""


@cache
def _answers(heard: Heard) -> tuple[Answered, ...]:
    seen = read_answers(bytes(heard.received), is_ended=heard.is_ended)
    pairs = list(zip(heard.visit.asks, seen, strict=False))
    return tuple(
        Answered(ask, heard, one, read_said(ask.path, one), at == len(pairs) - 1)
        for at, (ask, one) in enumerate(pairs)
        if one.headers.get("x-request-id") == ask.id
    )


def _all_answers(run: Observed) -> Iterator[Answered]:
    """Those that can be read; `answers_are_well_formed` finds the others."""
    for heard in run.heard:
        try:
            yield from _answers(heard)
        except Unreadable:
            continue


def answers_are_well_formed(run: Observed) -> Iterator[str]:
    """What clients get is HTTP, and JSON or events of their format in it."""
    for heard in run.heard:
        try:
            _answers(heard)
        except Unreadable as error:
            yield f"{heard.visit.asks[0].id}: {error}"


def no_unsafe_byte_to_clients(run: Observed) -> Iterator[str]:
    """A client reads a beginning of the safe text, and all of it where the end is good."""
    setup = SETUPS[run.schedule.setup]
    for one in _all_answers(run):
        safe = setup.safe(one.ask.says)
        texts = (_to_its_end(one), *one.said.repeated)
        if not all(safe.startswith(text) for text in texts):
            yield f"{one.ask.id}: '{one.said.text}' is no beginning of '{safe}'"
        elif one.said.is_good and one.ask.path != "/v1/embeddings" and one.said.text != safe:
            yield f"{one.ask.id}: '{one.said.text}' is not all of '{safe}'"
    for heard in run.heard:
        for secret in (text for ask in heard.visit.asks for text in _secrets(run, ask)):
            if secret.encode() in heard.received:
                yield f"{heard.visit.asks[0].id}: '{secret}' came through"


def _to_its_end(one: Answered) -> str:
    """The text without what a provider that never ends adds to it."""
    behaviors = {provided.behavior for provided in one.ask.attempts}
    return _MORE.sub("", one.said.text) if Behavior.NEVER_ENDING in behaviors else one.said.text


def _secrets(run: Observed, ask: Ask) -> Iterator[str]:
    setup = SETUPS[run.schedule.setup]
    for kind in Kind:
        if kind in setup.labels or (kind is Kind.STOP and setup.stops is not None):
            yield from ask.says.of(kind)


def no_unsafe_byte_to_providers(run: Observed) -> Iterator[str]:
    """A provider gets the safe text, and nothing at all of a request that is refused."""
    setup = SETUPS[run.schedule.setup]
    for one in run.exchanged:
        if setup.stops is not None and one.ask.text.of(Kind.STOP):
            yield f"{one.ask.id} was sent on, and is to be refused"
        elif (text := asked_text(one.body)) != setup.safe(one.ask.text):
            yield f"{one.ask.id} was sent on as '{text}'"


def what_is_forbidden_ends_in_a_refusal(run: Observed) -> Iterator[str]:
    """An answer that holds what is to be stopped never comes to a good end."""
    setup = SETUPS[run.schedule.setup]
    for one in _all_answers(run):
        is_forbidden = one.ask.text.of(Kind.STOP) or (
            one.ask.says.of(Kind.STOP) and one.ask.path != "/v1/embeddings"
        )
        if setup.stops is not None and is_forbidden and one.said.is_good:
            yield f"{one.ask.id} came to a good end"


def one_terminal_event(run: Observed) -> Iterator[str]:
    """A stream that is whole ends once, in the last event of its format or in one error."""
    for one in _all_answers(run):
        if not one.seen.is_stream:
            continue
        is_ended = one.said.is_good or one.said.error is not None
        if one.said.after_end:
            yield f"{one.ask.id}: {one.said.after_end} events after the end"
        if one.seen.is_complete and not is_ended:
            yield f"{one.ask.id}: the body ends, and no event says so"


def cuts_are_told(run: Observed) -> Iterator[str]:
    """What no provider finished comes to no good end."""
    last = {one.ask.id: one for one in run.exchanged}
    for one in _all_answers(run):
        exchange = last.get(one.ask.id)
        if not one.said.is_good:
            continue
        if exchange is None:
            yield f"{one.ask.id} was answered by nobody"
        elif one.seen.is_stream and exchange.provided.behavior in UNFINISHED:
            yield f"{one.ask.id} came to a good end, and its provider to none"


def statuses_are_known(run: Observed) -> Iterator[str]:
    """Every refusal is a row of the table, with its status."""
    for one in _all_answers(run):
        code, status = one.said.error, one.seen.status
        if not one.seen.is_complete or status == 200 or status in PASSED_ON:
            continue
        refusal = REFUSALS.get(code or "")
        if refusal is None and one.ask.path != "/v1/messages":
            yield f"{one.ask.id}: nobody knows the code {code}"
        elif refusal is not None and refusal.status != status:
            yield f"{one.ask.id}: {code} with {status}"


def everybody_is_answered(run: Observed) -> Iterator[str]:
    """A client that stays gets a whole answer to all that it sent, unless the gateway ends."""
    for heard in run.heard:
        if not heard.is_over:
            yield f"{heard.visit.asks[0].id} waits for ever"
        elif heard.visit.manner in CALM and run.schedule.drain is None and not _is_served(heard):
            yield f"{heard.visit.asks[0].id} was told that it is over before it was answered"


def _is_served(heard: Heard) -> bool:
    try:
        seen = read_answers(bytes(heard.received), is_ended=heard.is_ended)
    except Unreadable:
        return True
    return all(one.is_complete for one in seen) and len(seen) == len(heard.visit.asks)


def the_good_is_served(run: Observed) -> Iterator[str]:
    """Where nothing is wrong and nothing forbidden, there is a good answer."""
    schedule, setup = run.schedule, SETUPS[run.schedule.setup]
    is_calm = schedule.drain is None and not schedule.slow_policy and setup.serves_all
    if not is_calm or set(schedule.dialing) != {Dialing.OPENS}:
        return
    if any(visit.manner not in CALM for visit in schedule.visits):
        return
    if any(not _is_good(provided) for ask in schedule.asks for provided in ask.attempts):
        return
    for one in _all_answers(run):
        is_forbidden = one.ask.text.of(Kind.STOP) or one.ask.says.of(Kind.STOP)
        if not one.said.is_good and not (setup.stops and is_forbidden):
            yield f"{one.ask.id} is refused with {one.said.error}"


def _is_good(provided: Provided) -> bool:
    return provided.behavior in WELL_BEHAVED and provided.pause < 10.0


def one_event_each(run: Observed) -> Iterator[str]:
    """One event for each request that was begun, and it says what the client saw."""
    counts = Counter(str(event["request_id"]) for event in run.events)
    for name, count in counts.items():
        if count > 1:
            yield f"{name} has {count} events"
    told = {str(event["request_id"]): event for event in run.events}
    for exchange in run.exchanged:
        if exchange.ask.id not in told:
            yield f"{exchange.ask.id} was asked, and has no event"
    for one in _all_answers(run):
        event = told.get(one.ask.id)
        if event is None:
            yield f"{one.ask.id} was answered, and has no event"
        elif one.heard.stayed:
            yield from _differences(one, event)


def _differences(one: Answered, event: Mapping[str, object]) -> Iterator[str]:
    """Where an event and what its client saw disagree."""
    if event["status"] == 499:
        if one.seen.is_complete and one.said.error is None and one.said.is_good:
            yield f"{one.ask.id} has a good answer, and its event says that its client left"
    elif event["status"] != one.seen.status:
        yield f"{one.ask.id} got {one.seen.status}, and its event says {event['status']}"
    elif event["reason_code"] is None and one.seen.is_complete and not one.said.is_good:
        yield f"{one.ask.id} ended in {one.said.error}, and its event knows of nothing"


def nobody_is_asked_after_an_answer(run: Observed) -> Iterator[str]:
    """A request whose answer has begun well is not sent again."""
    begun: set[str] = set()
    for exchange in run.exchanged:
        if exchange.ask.id in begun:
            yield f"{exchange.ask.id} was sent again after a provider had answered it"
        if exchange.has_begun:
            begun.add(exchange.ask.id)


def upstream_is_closed_with_its_client(run: Observed) -> Iterator[str]:
    """When a client has left, the provider that works for it is told at once."""
    # A slow check holds up everybody, as it would.
    at_once = AT_ONCE + run.schedule.slow_policy * 2 * len(run.schedule.asks)
    for heard in run.heard:
        if heard.left_at is None or heard.visit.manner is Manner.STOPS_READING:
            continue
        for exchange in run.exchanged:
            if exchange.ask in heard.visit.asks and exchange.at <= heard.left_at:
                end = exchange.over_at
                if end > heard.left_at + at_once:
                    yield f"{exchange.ask.id} was left at {heard.left_at:.3f}, over at {end:.3f}"


def slots_are_given_back(run: Observed) -> Iterator[str]:
    """When every client has gone, the gateway holds nothing for anybody."""
    for name, count in attrs.asdict(run.left).items():
        if count:
            yield f"{name} is {count} when nobody is there"


def limits_hold(run: Observed) -> Iterator[str]:
    """Providers never have more requests at once than may run."""
    if run.most_at_once > run.limit:
        yield f"{run.most_at_once} requests at once, {run.limit} may run"


def it_ends(run: Observed) -> Iterator[str]:
    """It ends within its time, with no task and no connection left."""
    if not run.drained:
        yield "the gateway goes on after its time to end"
    if run.open_connections:
        yield f"{run.open_connections} connections to providers are never closed"
    if run.tasks:
        yield f"{run.tasks} tasks are left"


def no_bug_shows(run: Observed) -> Iterator[str]:
    """Nothing is logged, and nothing ends in `internal_error`."""
    yield from run.log
    yield from (
        f"{event['request_id']} ended in internal_error"
        for event in run.events
        if event["reason_code"] == "internal_error"
    )


INVARIANTS: Mapping[str, Invariant] = MappingProxyType(
    {
        invariant.__name__.replace("_", " "): invariant
        for invariant in (
            no_bug_shows,
            answers_are_well_formed,
            no_unsafe_byte_to_clients,
            no_unsafe_byte_to_providers,
            what_is_forbidden_ends_in_a_refusal,
            one_terminal_event,
            cuts_are_told,
            statuses_are_known,
            everybody_is_answered,
            the_good_is_served,
            one_event_each,
            nobody_is_asked_after_an_answer,
            upstream_is_closed_with_its_client,
            slots_are_given_back,
            limits_hold,
            it_ends,
        )
    }
)
"""Name -> promise."""


@attrs.frozen
class Broken:
    """A promise that did not hold."""

    invariant: str
    how: str


def broken(run: Observed) -> tuple[Broken, ...]:
    """Every promise that does not hold in a run."""
    return tuple(Broken(name, how) for name, check in INVARIANTS.items() for how in check(run))
