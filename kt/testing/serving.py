"""Run a mock provider on a port, for tests and for the demo."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from kt.runtime.server import ServeSettings, bound_port, open_listeners, serve
from kt.testing.behavior import MockSettings
from kt.testing.mock_provider import MockProvider

SERVING = ServeSettings(drain=1.0)
"""A mock is there to be stopped: what is under way gets a second."""


@attrs.frozen
class RunningMock:
    """A mock provider that accepts requests."""

    provider: MockProvider
    url: str
    """Where it answers, without a path."""


@asynccontextmanager
async def running_mock(
    settings: MockSettings,
    log: Callable[[str], None],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[RunningMock]:
    """Serve a mock provider for the block; port 0 takes a free one. Raises UsageError."""
    provider = MockProvider(settings)
    listeners = await open_listeners(host, port)
    drain = trio.Event()
    async with trio.open_nursery() as nursery:
        run = partial(serve, provider, listeners, settings=SERVING, drain=drain, log=log)
        await nursery.start(run)
        yield RunningMock(provider, f"http://{_in_url(host)}:{bound_port(listeners)}")
        drain.set()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
