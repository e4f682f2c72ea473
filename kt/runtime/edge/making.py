"""What an edge is to the server: it makes connections of streams.

In: streams. Out: connections that can be run, wound up and cut. Never: code; this is a contract.
"""

from typing import Protocol

import trio


class Connection(Protocol):
    """One client."""

    async def run(self) -> None:
        """Serve it to its end."""

    def wind_up(self) -> None:
        """The drain began: end at once if there is no request to answer, else after its answer."""

    def cut(self) -> None:
        """End now, sends included; a cancel scope alone would wait for these."""


class Maker(Protocol):
    """Makes connections."""

    def open(self, stream: trio.abc.HalfCloseableStream) -> Connection:
        """A connection that is not run yet."""

    async def wind_up(self) -> None:
        """The drain begins: from now on, answers are the last ones of their connections."""
