"""A whole gateway between made-up clients and made-up providers, run through one schedule.

In: a schedule. Out: what was seen of it. Never: sockets, threads, files, time that passes.
"""

import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import attrs
import trio
from trio.testing import MockClock

from kt.plan import Plan
from kt.runtime.app import App
from kt.runtime.audit import AuditLog
from kt.runtime.connecting import Network
from kt.runtime.engine import BoundStep, Check
from kt.runtime.gateway import GatewayOptions, Shared, built
from kt.runtime.generations import Generations, generations
from kt.runtime.server import ServeSettings, serve
from kt.simulation.observed import Happening, Heard, Left, Observed
from kt.simulation.pipes import Stream, connection, reset
from kt.simulation.provider import Providers
from kt.simulation.repeatable import run_repeatably
from kt.simulation.schedule import Schedule
from kt.simulation.setups import plan_of
from kt.simulation.visitor import Visitor

VISITS_END = 1000.0
"""Seconds after which every client has been answered or given up."""
QUIET = 0.5
"""Seconds in which everything that follows from the last client's leaving has happened."""
GRACE = 5.0
"""Seconds that a gateway may take to end beyond its drain; lingering is part of them."""


def simulate(schedule: Schedule) -> Observed:
    """Run a schedule; equal schedules give equal runs."""
    worlds: list[World] = []

    async def main() -> None:
        worlds.append(World(schedule))
        await worlds[0].run()

    run_repeatably(main, f"tasks {schedule.seed}")
    return worlds[0].observed()


class _Door(trio.abc.Listener[Stream]):
    """Where clients come in."""

    def __init__(self) -> None:
        self._sender, self._streams = trio.open_memory_channel[Stream](math.inf)

    async def accept(self) -> Stream:
        return await self._streams.receive()

    async def aclose(self) -> None:
        with suppress(trio.WouldBlock):
            while True:
                reset(self._streams.receive_nowait())  # as the system does with its backlog
        self._streams.close()
        await trio.lowlevel.checkpoint()

    async def enter(self, stream: Stream) -> None:
        """Raises trio.BrokenResourceError where nobody is let in any more."""
        await self._sender.send(stream)


class _Events(AuditLog):
    """Keeps events in place of a file: writing needs a thread, and virtual time waits for none."""

    def __init__(self, log: AuditLog, events: list[dict[str, object]]) -> None:
        super().__init__(log.path, log._metrics)
        self._events = events

    def write(self, event: dict[str, object]) -> None:
        """Keep one."""
        self._events.append(event)


class World:
    """One run."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._chance = Random(f"cuts {schedule.seed}")  # noqa: S311 - it is to be repeated
        self._plan = plan_of(schedule.setup, schedule.edge)
        self._heard = [Heard(visit) for visit in schedule.visits]
        self._events: list[dict[str, object]] = []
        self._log: list[str] = []
        self._story: list[Happening] = []
        self._door = _Door()
        self._shared: Shared | None = None
        self._apps: list[App] = []
        self._drain = trio.Event()
        self._drained = False
        self._left: Left | None = None
        self._tasks = 0

    async def run(self) -> None:
        """Let everything happen."""
        before = _tasks()
        async with trio.open_nursery() as nursery:
            self._providers = Providers(self._schedule, self._chance, nursery, self._tell)
            async with generations() as served:
                await served.begin(self._built)
                await self._serve(served)
            await trio.sleep(QUIET)
            self._open = sum(
                one.receive_stream.pipe.closed_at is None for one in self._providers.connections
            )
            nursery.cancel_scope.cancel()
        self._tasks = _tasks() - before

    @asynccontextmanager
    async def _built(self) -> AsyncIterator[App]:
        self._shared = self._shared or Shared.of(self._plan)
        async with built(self._plan, self._options(), self._shared) as app:
            self._prepare(app)
            self._apps.append(app)
            yield app

    def _options(self) -> GatewayOptions:
        return GatewayOptions(
            host="simulated",
            port=0,
            log=self._log.append,
            audit_path=Path(os.devnull),
            gateway_id="simulated",
            network=Network(dial=self._providers.dial),
            chance=self._chance.random,
        )

    def _prepare(self, app: App) -> None:
        """Take the events, and let checks take their time."""
        if app.audit is not None:
            app.audit = _Events(app.audit, self._events)
        if self._schedule.slow_policy:
            slowly = partial(_slowed, seconds=self._schedule.slow_policy)
            app.endpoints = attrs.evolve(
                app.endpoints,
                input=tuple(tuple(map(slowly, stage)) for stage in app.endpoints.input),
                output=tuple(tuple(map(slowly, stage)) for stage in app.endpoints.output),
            )

    async def _serve(self, served: Generations) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve_to_end, served, nursery.cancel_scope)
            nursery.start_soon(self._drain_in_time, served)
            nursery.start_soon(self._reload_in_time, served)
            with trio.move_on_after(VISITS_END):
                async with trio.open_nursery() as visits:
                    for heard in self._heard:
                        visits.start_soon(self._visit, heard)
            await trio.sleep(QUIET)
            self._left = self._holds(served)
            self._end(served)
            await trio.sleep(self._plan.timeouts.drain.seconds + GRACE)
            nursery.cancel_scope.cancel()

    async def _serve_to_end(self, served: Generations, life: trio.CancelScope) -> None:
        settings = _settings(self._plan)
        await serve(
            served, [self._door], settings=settings, drain=self._drain, log=self._log.append
        )
        self._drained = True
        self._tell("gateway", "has ended")
        if self._left is not None:
            life.cancel()

    async def _drain_in_time(self, served: Generations) -> None:
        if self._schedule.drain is not None:
            await trio.sleep(self._schedule.drain)
            self._end(served)

    async def _reload_in_time(self, served: Generations) -> None:
        if self._schedule.reload is not None:
            await trio.sleep(self._schedule.reload)
            self._tell("gateway", "is given its plan anew")
            await served.begin(self._built)

    def _end(self, served: Generations) -> None:
        self._tell("gateway", "is told to end")
        self._drain.set()
        served.drain()

    async def _visit(self, heard: Heard) -> None:
        await trio.sleep(heard.visit.at)
        ours, theirs = connection(self._chance, self._schedule.room)
        try:
            await self._door.enter(theirs)
        except trio.BrokenResourceError:
            heard.turned_away = heard.is_over = True
            return
        await Visitor(heard, ours, self._tell).run()
        heard.is_over = True

    def _holds(self, served: Generations) -> Left:
        gate = served.newest.endpoints.gate
        upstreams = [one for app in self._apps for one in app.endpoints.upstreams]
        counts = [one.counts for one in upstreams if one.counts is not None]
        return Left(
            running=gate.running,
            waiting=gate.waiting,
            tracked=gate.tracked,
            buffered=gate._buffered,
            in_use=sum(one.in_use for one in counts),
            connecting=sum(one.connecting + one.waiting for one in counts),
            retired=served.alive - 1,
        )

    def _tell(self, who: str, what: str) -> None:
        self._story.append((round(trio.current_time(), 3), who, what))

    def observed(self) -> Observed:
        """What was seen."""
        assert self._left is not None  # noqa: S101 - `run` has ended
        return Observed(
            schedule=self._schedule,
            heard=tuple(self._heard),
            exchanged=tuple(self._providers.exchanged),
            events=tuple(self._events),
            log=tuple(self._log),
            left=self._left,
            drained=self._drained,
            open_connections=self._open,
            tasks=self._tasks,
            most_at_once=self._providers.most_at_once,
            limit=self._plan.admission.max_concurrent.value,
            story=tuple(self._story),
        )


def _settings(plan: Plan) -> ServeSettings:
    return ServeSettings(
        edge=plan.edge,
        keep_alive=plan.timeouts.idle.seconds,
        send=plan.timeouts.send.seconds,
        drain=plan.timeouts.drain.seconds,
    )


def _slowed(one: BoundStep, seconds: float) -> BoundStep:
    return attrs.evolve(one, check=partial(_check_slowly, one.check, seconds), gate=None)


def _check_slowly(check: Check, seconds: float, *arguments: Any) -> Any:  # Any: as the check says
    clock = trio.lowlevel.current_clock()
    if isinstance(clock, MockClock):
        clock.jump(seconds)
    return check(*arguments)


def _tasks() -> int:
    """How many tasks there are, trio's own included."""
    root = trio.lowlevel.current_root_task()
    found = [] if root is None else [root]
    for task in found:
        found += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return len(found)
