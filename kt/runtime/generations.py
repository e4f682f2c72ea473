"""The apps of one gateway, one after the other: each request is answered by one, wholly.

In: how to build an app. Out: an ASGI app that hands every request to the newest. Never: a request
that changes from one to another, an app that is closed while a request uses it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import trio

from kt.runtime.app import App, Scope
from kt.runtime.inbox import Receive, Send

Make = Callable[[], AbstractAsyncContextManager[App]]
"""Builds an app, and takes it down with the block."""


class _Generation:
    """An app and how many requests use it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.over = trio.Event()
        """Set when it is retired and its last request has ended."""
        self._users = 0
        self._is_retired = False

    @contextmanager
    def used(self) -> Iterator[App]:
        """Keep it open for the block."""
        self._users += 1
        try:
            yield self.app
        finally:
            self._users -= 1
            self._end_if_unused()

    def retire(self) -> None:
        """Let it end with the requests that use it."""
        self._is_retired = True
        self._end_if_unused()

    def _end_if_unused(self) -> None:
        if self._is_retired and not self._users:
            self.over.set()


class Generations:
    """The newest app, and older ones until their last request has ended."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._newest: _Generation | None = None
        self.is_draining = False
        self.alive = 0
        """How many are not closed yet."""

    @property
    def newest(self) -> App:
        """The app that gets the requests which come now; `begin` must have been called."""
        return self._generation().app

    def _generation(self) -> _Generation:
        if self._newest is None:
            raise RuntimeError("there is no app yet")
        return self._newest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection scope."""
        with self._generation().used() as app:
            await app(scope, receive, send)

    async def begin(self, make: Make) -> None:
        """Build an app and hand it every request from now on.

        Raises what `make` raises, alone or in a group; the app that was the newest is it still.
        """
        await self._nursery.start(self._live, make)

    def drain(self) -> None:
        """Refuse what comes from now on; what is under way goes on."""
        self.is_draining = True
        self.newest.is_draining = True

    def retire(self) -> None:
        """Let the newest end, too."""
        if self._newest is not None:
            self._newest.retire()

    async def _live(
        self, make: Make, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with make() as app:
            generation = _Generation(app)
            self._switch(generation)
            self.alive += 1
            task_status.started()
            await generation.over.wait()
        self.alive -= 1

    def _switch(self, generation: _Generation) -> None:
        # Not a checkpoint in here: there is never a moment without exactly one newest.
        former, self._newest = self._newest, generation
        generation.app.is_draining = self.is_draining
        generation.app.take_over()
        if former is not None:
            former.retire()


@asynccontextmanager
async def generations() -> AsyncIterator[Generations]:
    """The apps of one gateway; when the block is left, all of them end."""
    async with trio.open_nursery() as nursery:
        made = Generations(nursery)
        yield made
        made.retire()
