"""The plan's bounds on time, memory and who may ask how often, each with where it came from.

In: what the compiler resolved. Out: frozen values of the plan. Never: a secret, but by reference or
as the digest of one.
"""

from enum import Enum
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


@attrs.frozen(kw_only=True)
class Sizes:
    """The bounds on memory per request, in bytes."""

    request_body: Count
    response_body: Count
    stream_hold: Count
    """The most original text of a streamed answer that is held back at once."""


class SecretFrom(Enum):
    """Where a secret is read when the gateway starts."""

    ENV = "env"
    STORE = "store"


@attrs.frozen(kw_only=True)
class SecretRef:
    """The name of a secret; never its value."""

    source: SecretFrom
    name: str
