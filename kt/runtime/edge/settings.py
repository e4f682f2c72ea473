"""What the server accepts of clients, and how long it waits for them."""

import attrs

from kt.plan import Edge


@attrs.frozen(kw_only=True)
class ServeSettings:
    """How long the server waits for whom, in seconds, and what it accepts."""

    edge: Edge = Edge.LLHTTP
    """Who reads and writes HTTP/1.1."""
    keep_alive: float = 90.0
    """How long a connection may stay open without a request head."""
    handshake: float = 10.0
    """How long a client may take to agree on the keys of TLS."""
    head: float = 30.0
    """How long a request head may take from its first byte on; hypercorn gives it `keep_alive`."""
    body: float = 30.0
    """How long a client may take for a part of a body that is waited for; not with hypercorn."""
    send: float = 30.0
    """How long a client may refuse to take bytes before its connection is closed."""
    drain: float = 30.0
    """How long requests under way may take to end after the drain began."""
    linger: float = 2.0
    """How long what a client still sends is read after our last byte, so that it sees that byte."""
    head_bytes: int = 2**16
    requests_per_connection: int = 1_000_000
    connections: int = 10_000
    """How many clients may be connected at once; one more is closed unheard."""
