"""The plan's bounds on time, memory and who may ask how often, each with where it came from.

In: what the compiler resolved. Out: frozen values of the plan. Never: a secret, but by reference or
as the digest of one.
"""

from enum import Enum
from types import MappingProxyType
from typing import Any

import attrs


def descriptive(**kwargs: Any) -> Any:  # Any: attrs.field's own signature
    """A field that explains and does not act: outside the digest, equality and repr."""
    return attrs.field(eq=False, repr=False, kw_only=True, metadata={"descriptive": True}, **kwargs)


@attrs.frozen
class Limit:
    """A resolved duration and where it came from."""

    seconds: float
    origin: str = descriptive()
    """`default`, a flag, an environment variable, or `file:line:column`."""


@attrs.frozen
class Count:
    """A resolved number (of requests, or of bytes) and where it came from."""

    value: int
    origin: str = descriptive()


@attrs.frozen(kw_only=True)
class Timeouts:
    """Every deadline of design section 4, resolved."""

    queue: Limit
    connect: Limit
    first_byte: Limit
    inter_chunk: Limit
    request: Limit
    policy: Limit
    idle: Limit
    send: Limit
    """How long a client may refuse to take bytes before its connection is closed."""
    drain: Limit
    """How long requests in flight may take to end after SIGTERM."""


@attrs.frozen(kw_only=True)
class Admission:
    """How many requests run and how many wait."""

    max_concurrent: Count
    max_queue: Count
    per_user: Count | None = None
    """How many of one user run; None: as many as there are slots."""
    per_team: Count | None = None
    """How many of one team run."""


HEAD = Count(2**16, origin="default")


@attrs.frozen(kw_only=True)
class Sizes:
    """The bounds on memory per request, in bytes."""

    request_body: Count
    response_body: Count
    stream_hold: Count
    """The most original text of a streamed answer that is held back at once."""
    request_head: Count = HEAD
    """A request's line and headers together."""


@attrs.frozen(kw_only=True)
class Streaming:
    """When what is judged of a streamed answer goes on; with nothing set, at once."""

    gathered: Count | None = None
    """Bytes that are gathered before they go on; None: time alone decides, or nothing waits."""
    flush: Limit | None = None
    """The longest that the first of the gathered bytes waits; None: for the others."""
    duration: Limit | None = None
    """From the first released byte to the end of the answer; None: as long as pieces come."""


class SecretFrom(Enum):
    """Where a secret is read when the gateway starts."""

    ENV = "env"
    STORE = "store"


@attrs.frozen(kw_only=True)
class SecretRef:
    """The name of a secret; never its value."""

    source: SecretFrom
    name: str


class Unit(Enum):
    """What a rate limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"


class Scope(Enum):
    """Whose requests a rate limit counts together."""

    ALL = "all"
    ADDRESS = "address"
    USER = "user"
    GROUP = "group"


@attrs.frozen(kw_only=True, cache_hash=True)
class RateLimit:
    """So much in each window of time; windows are aligned with the epoch."""

    scope: Scope
    unit: Unit
    most: int
    seconds: int
    group: str | None = None
    """The consumer group that it is for; None: those of no group. Only of the scope `group`."""
    proxies: int = 0
    """How many proxies stand in front of us: tells a client's address. Only of `address`."""
    headers: tuple[str, ...] = ()
    """The headers that name a user, the first one that is there. Only of `user`."""
    origin: str = descriptive(default="")

    @property
    def shown(self) -> str:
        """What it allows, in words."""
        whose = f"group {self.group}" if self.group is not None else _WHOSE[self.scope]
        return f"{self.most} {self.unit.value} of {whose} in {self.seconds}s"


_WHOSE = MappingProxyType(
    {
        Scope.ALL: "all",
        Scope.ADDRESS: "one address",
        Scope.USER: "one user",
        Scope.GROUP: "those of no group",
    }
)


@attrs.frozen(kw_only=True)
class ConsumerGroup:
    """Clients that ask with a key of this group."""

    name: str
    keys: tuple[str, ...] = ()
    """The SHA-256 of each key that was written into the configuration, in hexadecimal digits."""
    secrets: tuple[SecretRef, ...] = ()
    """Where further keys are read when the gateway starts."""
    is_default: bool = False
    """Whether clients without a key belong to it."""
    allowed_models: tuple[str, ...] = ()
    """Empty: every model."""
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class Networks:
    """The addresses that may ask."""

    cidrs: tuple[str, ...]
    proxies: int = 0
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class Cors:
    """What browsers let the pages of other origins do."""

    origins: tuple[str, ...]
    """`*`: every origin."""
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    """`*`: whatever the browser asks for."""
    exposed: tuple[str, ...]
    credentials: bool
    max_age: int | None
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class Access:
    """Who may ask, and how often."""

    groups: tuple[ConsumerGroup, ...] = ()
    networks: Networks | None = None
    """None: everybody."""
    rate_limits: tuple[RateLimit, ...] = ()
    tells_rates: bool = False
    """Whether answers carry `x-ratelimit-*`."""
    cors: Cors | None = None

    @property
    def needs_keys(self) -> bool:
        """Whether a client must show a key, unless some group is there for all others."""
        return any(group.keys or group.secrets for group in self.groups)
