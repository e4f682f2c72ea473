"""What was seen of one run from outside: bytes, times, events, and what is left at the end."""

from collections.abc import Mapping
from math import inf

import attrs

from kt.simulation.pipes import Stream
from kt.simulation.schedule import Ask, Provided, Schedule, Visit

Happening = tuple[float, str, str]
"""When, who, what."""


@attrs.define(eq=False)
class Heard:
    """One client's side of its connection."""

    visit: Visit
    sent: list[str] = attrs.field(factory=list)
    """The ids of the requests that were sent whole."""
    received: bytearray = attrs.field(factory=bytearray)
    is_ended: bool = False
    """The gateway said or showed that nothing more comes."""
    left_at: float | None = None
    """When the client did what its manner says, if that ends the exchange."""
    turned_away: bool = False
    """It did not get a connection."""
    is_over: bool = False

    @property
    def stayed(self) -> bool:
        """Whether it read all that came."""
        return self.left_at is None and not self.turned_away


@attrs.define(eq=False)
class Exchanged:
    """One request as a provider saw it."""

    ask: Ask
    provided: Provided
    body: bytes
    at: float
    status: int | None = None
    """Of its answer, sent or not."""
    head_end: int | None = None
    """How many bytes the connection had carried to the gateway behind the answer's head."""
    done_at: float | None = None
    """When the provider had done all that it would."""
    connection: Stream = attrs.field(kw_only=True, repr=False)
    """The gateway's end."""

    @property
    def closed_at(self) -> float | None:
        """When the gateway closed the connection."""
        return self.connection.receive_stream.pipe.closed_at

    @property
    def has_begun(self) -> bool:
        """Whether the gateway has the head of a good answer."""
        taken = self.connection.receive_stream.pipe.taken
        return self.status == 200 and self.head_end is not None and taken >= self.head_end

    @property
    def over_at(self) -> float:
        """When the provider was done, or the gateway had closed; infinity before."""
        ends = (self.done_at, self.closed_at)
        return min((end for end in ends if end is not None), default=inf)


@attrs.frozen(kw_only=True)
class Left:
    """What the gateway still holds when every client has gone."""

    running: int
    waiting: int
    tracked: int
    buffered: int
    in_use: int
    """Connections to providers."""
    connecting: int
    retired: int
    """Plans that another one has followed."""


@attrs.frozen(kw_only=True)
class Observed:
    """One run."""

    schedule: Schedule
    heard: tuple[Heard, ...]
    exchanged: tuple[Exchanged, ...]
    events: tuple[Mapping[str, object], ...]
    log: tuple[str, ...]
    left: Left
    drained: bool
    """The gateway ended within its time."""
    open_connections: int
    """Those to providers that it never closed."""
    tasks: int
    """Those that are left when it has ended."""
    most_at_once: int
    """Requests that providers had at once."""
    limit: int
    story: tuple[Happening, ...]
