"""What a plan says of routing: frozen data, resolved.

Triggers are the one table of what a target may answer that leads to another attempt.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import attrs

from kt.filters.syntax import Filter
from kt.limits import Count, Limit, descriptive

WINDOW = 300.0
MIN_SAMPLES = 5


class Strategy(Enum):
    """In which order targets are asked; `PERFORMED` says which of these anything acts on."""

    ORDERED = "ordered"
    """As declared."""
    ROUND_ROBIN = "round_robin"
    """Each request begins with the next one."""
    WEIGHTED = "weighted"
    """By chance, in proportion to weights."""
    RANDOM = "random"
    """By chance."""
    LOWEST_LATENCY = "lowest_latency"
    """The shortest mean time to an answer's head first, within a window."""
    HIGHEST_THROUGHPUT = "highest_throughput"
    LOWEST_COST = "lowest_cost"
    LEAST_BUSY = "least_busy"
    """The fewest requests under way first."""
    USAGE_BASED = "usage_based"


PERFORMED = frozenset(
    {
        Strategy.ORDERED,
        Strategy.ROUND_ROBIN,
        Strategy.WEIGHTED,
        Strategy.RANDOM,
        Strategy.LOWEST_LATENCY,
        Strategy.LEAST_BUSY,
    }
)


class Trigger(Enum):
    """A way in which a target fails that may lead to another attempt."""

    TIMEOUT = "timeout"
    """No head of an answer within `first_byte`, or the target says so itself."""
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    """Any answer from 500 on, and a connection that broke instead of one."""
    INTERNAL_ERROR = "internal_error"
    BAD_GATEWAY = "bad_gateway"
    SERVICE_UNAVAILABLE = "service_unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    AUTH = "auth"
    """The target refuses the gateway's credentials."""


STATUSES: Mapping[Trigger, frozenset[int]] = MappingProxyType(
    {
        Trigger.TIMEOUT: frozenset({408, 504}),
        Trigger.RATE_LIMIT: frozenset({429}),
        Trigger.SERVER_ERROR: frozenset(range(500, 600)),
        Trigger.INTERNAL_ERROR: frozenset({500}),
        Trigger.BAD_GATEWAY: frozenset({502}),
        Trigger.SERVICE_UNAVAILABLE: frozenset({503, 529}),
        Trigger.GATEWAY_TIMEOUT: frozenset({504}),
        Trigger.AUTH: frozenset({401, 403}),
    }
)
"""Which statuses each trigger means."""


@attrs.frozen(kw_only=True)
class Retry:
    """How often one target is asked again, and how long that waits."""

    attempts: Count
    """Of one target, the first one included."""
    initial_delay: Limit
    max_delay: Limit
    """Also the most that a provider's own advice is heeded."""
    multiplier: float
    jitter: bool
    """Each wait is drawn between nothing and the delay."""
    triggers: frozenset[Trigger]


@attrs.frozen(kw_only=True)
class Fallback:
    """After which failures the next target is asked."""

    attempts: Count
    """How many further targets at most."""
    triggers: frozenset[Trigger]
    last: "Member | None" = None
    """Who is asked only after all others; None: targets fall back on each other."""


@attrs.frozen(kw_only=True)
class Breaker:
    """When a target is left alone, and for how long."""

    failures: Count
    """So many in a row open the circuit."""
    cooldown: Limit
    probes: Count
    """So many requests are let through after it, and all must succeed."""


@attrs.frozen(kw_only=True)
class Member:
    """A target of a model group, and what the model is called there."""

    target: str
    model: str | None = None
    weight: float = 1.0


@attrs.frozen(kw_only=True)
class ModelGroup:
    """Targets that answer under one name."""

    name: str
    aliases: tuple[str, ...] = ()
    strategy: Strategy
    members: tuple[Member, ...]
    fallback: str | None = None
    """The group that is asked after all of this one."""
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class Renaming:
    """What one target calls a model."""

    model: str
    target: str
    name: str


@attrs.frozen(kw_only=True)
class Route:
    """Requests that one target answers."""

    name: str
    when: Filter
    target: str | None
    """None: as without the route."""
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class HealthMonitor:
    """How targets are probed in the background."""

    interval: Limit
    timeout: Limit
    path: str


@attrs.frozen(kw_only=True)
class Routing:
    """Who is asked, in which order, and what follows a failure."""

    strategy: Strategy = Strategy.ORDERED
    window: Limit = attrs.field(factory=lambda: Limit(WINDOW, origin="default"))
    """How long a measured latency counts."""
    min_samples: Count = attrs.field(factory=lambda: Count(MIN_SAMPLES, origin="default"))
    """A target with fewer measurements is asked first."""
    retry: Retry | None = None
    fallback: Fallback | None = None
    groups: tuple[ModelGroup, ...] = ()
    renamings: tuple[Renaming, ...] = ()
    routes: tuple[Route, ...] = ()
    """The first one that matches decides."""
    health: HealthMonitor | None = None

    @property
    def not_performed(self) -> tuple[Strategy, ...]:
        """The strategies that nothing acts on, once each."""
        named = (self.strategy, *(group.strategy for group in self.groups))
        return tuple(dict.fromkeys(one for one in named if one not in PERFORMED))
