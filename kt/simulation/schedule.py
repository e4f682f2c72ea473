"""What happens in a simulated world: who comes when and asks what, and what goes wrong.

A new fault is a member of an enum here, its odds in `drawing`, and a branch where it happens:
`visitor` (clients), `provider`, `world` (the gateway's own).
"""

from collections.abc import Mapping
from enum import Enum

import attrs

from kt.plan import Edge


class Kind(Enum):
    """What a piece of text is to the policies of a setup."""

    PLAIN = "plain"
    KEY = "key"
    MAIL = "mail"
    STOP = "stop"


@attrs.frozen
class Text:
    """A text whose parts are known, so that nobody has to search it for what policies find."""

    parts: tuple[tuple[Kind, str], ...]

    @property
    def whole(self) -> str:
        """As it is said."""
        return "".join(text for _, text in self.parts)

    def safe(self, labels: Mapping[Kind, str], *, stops: bool) -> str:
        """What may be seen of it: secrets under their labels, nothing from a stop on."""
        seen = []
        for kind, text in self.parts:
            if stops and kind is Kind.STOP:
                break
            seen.append(labels.get(kind, text))
        return "".join(seen)

    def of(self, kind: Kind) -> tuple[str, ...]:
        """Its parts of a kind."""
        return tuple(text for one, text in self.parts if one is kind)


class Manner(Enum):
    """How a client behaves."""

    STAYS = "reads everything at once"
    SLOW = "reads a little at a time"
    DRIBBLES = "sends its requests slowly"
    LEAVES = "closes the connection"
    RESETS = "resets the connection"
    HALF_CLOSES = "says that it sends no more, and goes on reading"
    STOPS_READING = "stops reading, and stays"


LEAVING = frozenset({Manner.LEAVES, Manner.RESETS, Manner.HALF_CLOSES})


class Behavior(Enum):
    """How a provider answers one request. Lower-case values are faults of the mock's scripts."""

    GOOD = ""
    STALL = "stall"
    CUT = "cut"
    NO_DONE = "no_done"
    MALFORMED_JSON = "malformed_json"
    MALFORMED_SSE = "malformed_sse"
    NEVER_ENDING = "never_ending"
    ERROR_FRAME = "error_frame"
    GZIP = "gzip"
    SLOW_HEAD = "slow_first_byte=20s"
    SILENT = "slow_first_byte=60s"
    FAILED = "status=500"
    UNAVAILABLE = "status=503"
    LIMITED = "status=429"
    UNAUTHORIZED = "status=401"
    BAD_REQUEST = "status=400"
    RESET = "RESET"
    """The connection breaks after some bytes."""
    HANGS_UP = "HANGS_UP"
    """It is closed after some bytes."""
    TALKS_ON = "TALKS_ON"
    """More events follow the last one."""
    GOES_STALE = "GOES_STALE"
    """The answer is good, then the connection is closed without a word."""


WELL_BEHAVED = frozenset({Behavior.GOOD, Behavior.GOES_STALE, Behavior.TALKS_ON})


UNFINISHED = frozenset(
    {
        Behavior.STALL,
        Behavior.CUT,
        Behavior.NO_DONE,
        Behavior.MALFORMED_JSON,
        Behavior.MALFORMED_SSE,
        Behavior.NEVER_ENDING,
        Behavior.ERROR_FRAME,
        Behavior.GZIP,
    }
)
"""Streams that never come to their last event."""


class Dialing(Enum):
    """What becomes of a connection to a provider."""

    OPENS = "opens"
    SLOWLY = "opens after a while"
    REFUSED = "is refused"
    LOST = "never opens"


@attrs.frozen(kw_only=True)
class Provided:
    """How one attempt of a request is answered."""

    behavior: Behavior = Behavior.GOOD
    pieces: int = 3
    pause: float = 0.0
    """Seconds between events."""
    after: int = 0
    """The bytes after which the connection breaks."""
    ends_with_connection: bool = False
    """The body has no length and ends where the connection does."""


@attrs.frozen(kw_only=True)
class Ask:
    """One request and what the model says to it."""

    id: str
    path: str
    text: Text
    says: Text
    stream: bool
    user: str | None
    attempts: tuple[Provided, ...]
    """The last one is for all that follow, too."""

    def attempt(self, number: int) -> Provided:
        """How an attempt is answered, counted from nothing."""
        return self.attempts[min(number, len(self.attempts) - 1)]


@attrs.frozen(kw_only=True)
class Visit:
    """One client on one connection: its requests, one after the other."""

    at: float
    asks: tuple[Ask, ...]
    manner: Manner = Manner.STAYS
    after: int = 0
    """The bytes received after which the manner begins."""
    patience: float | None = None
    """Seconds after which it begins in any case."""
    pipelines: bool = False
    """Sends all requests at once."""


@attrs.frozen(kw_only=True)
class Schedule:
    """Everything that happens in one run."""

    seed: int
    setup: str
    """A row of `setups`."""
    edge: Edge
    visits: tuple[Visit, ...]
    dialing: tuple[Dialing, ...] = (Dialing.OPENS,)
    """What becomes of the first connection, the second and so on, then again."""
    drain: float | None = None
    """When the gateway is told to stop, if while clients are there."""
    reload: float | None = None
    """When the same plan takes over from itself."""
    slow_policy: float = 0.0
    """Seconds that each check takes."""
    room: int = 2**16
    """Bytes that are on their way in one direction of a connection."""

    @property
    def asks(self) -> tuple[Ask, ...]:
        """All requests."""
        return tuple(ask for visit in self.visits for ask in visit.asks)
