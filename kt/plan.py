"""The plan: the one value that compiler and runtime share.

Frozen data only: no closures, no clients, no names left to look up, secrets by reference.
Fields marked `descriptive` explain the plan; they are not part of its digest.
"""

import hashlib
import json
import re
from enum import Enum
from typing import Any, cast
from urllib.parse import urlsplit

import attrs

from kt.exchange import Dialect
from kt.filters.syntax import Filter
from kt.limits import (
    Access,
    Admission,
    ConsumerGroup,
    Cors,
    Count,
    Limit,
    Networks,
    RateLimit,
    Scope,
    SecretFrom,
    SecretRef,
    Sizes,
    Streaming,
    Timeouts,
    Unit,
    descriptive,
)
from kt.policy import Action, Facts, OnTrouble, Phase, Rule
from kt.routing.values import Breaker, Routing, Strategy

DEFAULT_PORT = 41002
"""Where the product listens unless told otherwise."""

FORMAT = 1
"""The version of the plan's JSON form."""


@attrs.frozen(kw_only=True)
class Scan:
    """A policy that is a set of patterns and an action for what they find."""

    rules: tuple[Rule, ...]
    action: Action
    message: str
    """What the client is told on a block."""
    decode: tuple[str, ...] = ()
    """Encodings that are undone and looked into (`base64`); never in a streamed answer."""


@attrs.frozen(kw_only=True)
class Record:
    """A policy that writes one line per request, after the answer."""

    log_all_access: bool
    """False: only requests that ended in something else than allow."""


@attrs.frozen(kw_only=True)
class Ask:
    """A policy that asks a service over the network (docs/moderation.md is its protocol)."""

    endpoint: str
    """Where it is asked: satisfies `is_endpoint`."""
    secret: SecretRef | None
    """What requests are signed with; None: they are not."""
    action: Action
    """What is done with a score that reaches the threshold; one that only records makes every
    verdict of the service a record."""
    categories: tuple[str, ...]
    """Those whose scores count; none: all of them."""
    threshold: float
    message: str
    """What the client is told on a block."""


@attrs.frozen(kw_only=True)
class NotEnforced:
    """A policy that is known and that nothing performs yet: the runtime leaves it out."""

    reason: str
    """What is missing, for people."""


Body = Scan | Record | Ask | NotEnforced
"""What a step holds."""


@attrs.frozen(kw_only=True)
class Step:
    """One policy at work in one phase."""

    name: str
    kind: str
    phase: Phase
    order: int
    """Its place in the declared order: names the blocker and breaks ties between edits."""
    body: Body
    facts: Facts
    limit: Limit
    on_trouble: OnTrouble
    when: Filter | None = None
    """Which requests it is for, asked of the request as the client sent it; None: of all."""
    because: tuple[str, ...] = descriptive(default=())
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class Stage:
    """Steps of one phase that may run at once."""

    steps: tuple[Step, ...]
    group: str | None = descriptive(default=None)
    """The `parallel_group` that brought them together."""


@attrs.frozen(kw_only=True)
class Pool:
    """The connections kept for one target."""

    max_connections: int
    max_idle: int
    idle: Limit
    lifetime: Limit | None = None
    """After it a connection carries no further request; None: for as long as it holds."""


@attrs.frozen(kw_only=True)
class Tls:
    """The files that decide whom a target's TLS trusts, and who we are."""

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


class Edge(Enum):
    """Who reads and writes the HTTP/1.1 of clients."""

    LLHTTP = "llhttp"
    HYPERCORN = "hypercorn"


class Transport(Enum):
    """Whose connections carry requests to targets."""

    KT = "kt"
    HTTPX = "httpx"


class HttpVersion(Enum):
    """The protocol spoken to targets."""

    HTTP1 = "h1"
    HTTP2 = "h2"
    """Over TLS where the target agrees, else HTTP/1.1; without TLS by prior knowledge."""


@attrs.frozen(kw_only=True)
class KeepAlive:
    """How idle connections are probed."""

    interval: Limit
    timeout: Limit
    """A connection that answers no probe for so long is dead."""


@attrs.frozen(kw_only=True)
class WarmUp:
    """What is done with every target before the listener opens."""

    connections: Count
    probe: str | None
    """The path that each connection is tried with; None: it is only opened."""


@attrs.frozen(kw_only=True)
class Connecting:
    """How targets are spoken to, all of them."""

    transport: Transport = Transport.KT
    http_version: HttpVersion = HttpVersion.HTTP1
    keep_alive: KeepAlive | None = None
    max_total: Count | None = None
    """How many connections there may be to all targets together; None: to each its own."""
    warm_up: WarmUp | None = None


@attrs.frozen(kw_only=True)
class Target:
    """One provider endpoint."""

    id: str
    base_url: str
    """Without a trailing slash and without `/v1`: paths carry it, so it never doubles. Empty where
    no address is known: the target is never asked."""
    model: str | None
    """Replaces the request's model in place; None keeps it."""
    secret: SecretRef | None
    api_key_header: str
    api_key_prefix: str
    pool: Pool
    tls: Tls = attrs.field(factory=Tls)
    format: Dialect | None = None
    """The wire formats that it speaks; None: it is asked in whatever format its client speaks."""
    weight: float = 1.0
    """Its share where targets are chosen by weight."""
    breaker: Breaker | None = None
    """When it is left alone; None: it is always asked."""
    origin: str = descriptive(default="")


@attrs.frozen(kw_only=True)
class Plan:
    """Everything the gateway does, decided."""

    format: int = FORMAT
    name: str
    version: str
    enabled: bool
    engines: tuple[tuple[str, str], ...]
    """Name and version of each engine whose behaviour decides a verdict."""
    rule_lists: tuple[tuple[str, str], ...] = ()
    """Name and SHA-256 of each built-in rule list of the `kt` that made this plan."""
    input: tuple[Stage, ...]
    output: tuple[Stage, ...]
    audit: tuple[Step, ...]
    targets: tuple[Target, ...]
    routing: Routing = attrs.field(factory=Routing)
    connecting: Connecting = attrs.field(factory=Connecting)
    listen_port: int = DEFAULT_PORT
    edge: Edge = Edge.LLHTTP
    timeouts: Timeouts
    admission: Admission
    sizes: Sizes
    access: Access = attrs.field(factory=Access)
    passthrough: tuple[str, ...] = ()
    """Patterns of paths that are forwarded unread."""
    streaming: Streaming = attrs.field(factory=Streaming)
    keep_answer_whole: bool
    """`passthrough_chunked: false`: a streamed answer is collected and sent at once."""
    server_timing: bool
    variables: tuple[str, ...] = descriptive(default=())
    """The environment's variables that the configuration names, with their places; the values are
    in what they came to."""

    @property
    def digest(self) -> str:
        """SHA-256 over what acts: descriptive fields are left out."""
        return hashlib.sha256(canonical_json(self, descriptive_too=False)).hexdigest()

    def steps(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of a phase in the order in which they start."""
        if phase is Phase.AUDIT:
            return self.audit
        stages = self.input if phase is Phase.INPUT else self.output
        return tuple(step for stage in stages for step in stage.steps)


BODIES = (Scan, Record, Ask, NotEnforced)
"""What a step can hold; their JSON names them in `node`."""


_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")


def is_endpoint(text: str) -> bool:
    """Whether a URL can be asked: http or https, a host, a path; no query, which may hold a key."""
    try:
        parts = urlsplit(text)
        return bool(_ENDPOINT.fullmatch(text) and parts.hostname) and parts.port != 0
    except ValueError:
        return False


def canonical_json(value: object, *, descriptive_too: bool = True) -> bytes:
    """The one JSON form of a frozen value: equal values give equal bytes."""
    data = to_data(value, descriptive_too=descriptive_too)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_data(value: object, *, descriptive_too: bool = True) -> Any:  # Any: JSON is any shape
    """A frozen value as JSON data: classes become objects, enums their value, sets sorted lists."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [to_data(item, descriptive_too=descriptive_too) for item in value]
    if isinstance(value, frozenset):
        return sorted(to_data(item, descriptive_too=descriptive_too) for item in value)
    if not attrs.has(type(value)):
        return value
    return {
        field.name: to_data(getattr(value, field.name), descriptive_too=descriptive_too)
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", type(value)))
        if descriptive_too or not field.metadata.get("descriptive")
    } | ({"node": type(value).__name__} if isinstance(value, BODIES) else {})


__all__ = [
    "BODIES",
    "FORMAT",
    "Access",
    "Admission",
    "Ask",
    "Body",
    "Breaker",
    "Connecting",
    "ConsumerGroup",
    "Cors",
    "Count",
    "Edge",
    "HttpVersion",
    "KeepAlive",
    "Limit",
    "Networks",
    "NotEnforced",
    "Plan",
    "Pool",
    "RateLimit",
    "Record",
    "Routing",
    "Scan",
    "Scope",
    "SecretFrom",
    "SecretRef",
    "Sizes",
    "Stage",
    "Step",
    "Strategy",
    "Streaming",
    "Target",
    "Timeouts",
    "Tls",
    "Transport",
    "Unit",
    "WarmUp",
    "canonical_json",
    "is_endpoint",
    "to_data",
]
