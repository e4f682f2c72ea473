"""A gateway at work in a process: signals drain it, and signals and changed files reload it.

In: how to make a gateway of a plan, and how to read the plan again. Out: returns when drained.
Never: two readings at once, an end because of a configuration that is wrong.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import attrs
import click
import trio

from kt.cli.watching import watch
from kt.diff.changes import changes
from kt.plan import Plan
from kt.runtime.gateway import Candidate, GatewayOptions, Running, run_gateway
from kt.runtime.reload import Reload


@attrs.frozen
class Serving:
    """What a running gateway is made of, and made of again."""

    read_again: Callable[[], Plan]
    """The plan that the file says now. Raises KtError."""
    surroundings: Callable[[Plan], GatewayOptions]
    watched: tuple[Path, ...] = ()
    """Files whose change is a reason to read again."""

    def prepare(self, running: Plan) -> Candidate:
        """The plan that the file says now, and what it does otherwise. Raises KtError."""
        plan = self.read_again()
        lines = tuple(
            f"{one.part} {one.name}: {one.old} -> {one.new}" for one in changes(running, plan)
        )
        return Candidate(plan=plan, options=self.surroundings(plan), changes=lines)


async def serve(serving: Serving, plan: Plan) -> None:
    """Serve a plan and what follows it, until a signal ends it."""
    drain = trio.Event()
    wishes = Wishes()
    surroundings = serving.surroundings(plan)
    async with trio.open_nursery() as attention:
        await attention.start(_heed_signals, drain, wishes)
        async with trio.open_nursery() as nursery:
            start = partial(run_gateway, plan, surroundings, drain, serving.prepare)
            running: Running = await nursery.start(start)
            _announce(plan, running, surroundings)
            attention.start_soon(wishes.grant, running.reload)
            if serving.watched:
                attention.start_soon(watch, serving.watched, wishes.wish)
        attention.cancel_scope.cancel()


class Wishes:
    """That somebody wants a reload; several wishes that come before it are one."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[None](1)

    def wish(self) -> None:
        """Want one; returns at once."""
        with suppress(trio.WouldBlock):
            self._send.send_nowait(None)

    async def grant(self, reload: Reload) -> None:
        """Reload for every wish, for ever."""
        async for _ in self._receive:
            await reload()


def _announce(plan: Plan, running: Running, surroundings: GatewayOptions) -> None:
    info = "INFO keeptrusts::gateway"
    click.echo(f"{info} Loaded declarative config {plan.name}@{plan.version}", err=True)
    if plan.audit:
        click.echo(f"{info} Audit log {surroundings.audit_path}", err=True)
    if surroundings.tls is not None:
        click.echo(f"{info} Clients are spoken to in TLS", err=True)
    click.echo(f"{info} Listening on {surroundings.host}:{running.port}", err=True)


async def _heed_signals(
    drain: trio.Event,
    wishes: Wishes,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """SIGHUP reads the file again. The first signal to end drains; a second one, for the impatient,
    ends the process at once."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            if number == signal.SIGHUP:
                wishes.wish()
                continue
            if drain.is_set():
                raise KeyboardInterrupt
            click.echo("INFO keeptrusts::gateway Draining", err=True)
            drain.set()
