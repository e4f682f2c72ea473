"""The composition root: build everything that a plan needs, serve it, take it down again.

Order of taking down: stop accepting, let requests end (bounded), then the audit log writes what it
still has, then connections to providers close. A plan that another one follows is taken down in the
same order, when its last request has ended.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from kt.errors import GatewayError, KtError, UsageError
from kt.plan import Plan
from kt.routing.backoff import Chance
from kt.runtime.admission import Gate
from kt.runtime.app import App
from kt.runtime.asking import askers
from kt.runtime.audit import AuditLog, open_private
from kt.runtime.connecting import Network, upstreams, warm_up
from kt.runtime.endpoints import Endpoints
from kt.runtime.entrance import Entrance
from kt.runtime.generations import Generations, Make, generations
from kt.runtime.guard import Log
from kt.runtime.identity import chance
from kt.runtime.ledger import wall_clock
from kt.runtime.metrics import Metrics
from kt.runtime.passthrough import Passthrough
from kt.runtime.probing import probe_targets
from kt.runtime.reload import Reload, Reloader, ReloadReport
from kt.runtime.router import Router
from kt.runtime.server import ServeSettings, bound_port, open_listeners, serve
from kt.runtime.windows import MemoryWindows


@attrs.frozen(kw_only=True)
class GatewayOptions:
    """What a gateway needs besides its plan: the surroundings, never the semantics."""

    host: str
    port: int
    log: Log
    audit_path: Path
    gateway_id: str
    secrets: Mapping[str, str] = attrs.field(repr=False, factory=dict)
    """Target id -> key. A target without an entry is asked without credentials."""
    client_keys: Mapping[str, tuple[str, ...]] = attrs.field(repr=False, factory=dict)
    """Consumer group -> the keys of its clients that were read from outside."""
    signing_keys: Mapping[str, str] = attrs.field(repr=False, factory=dict)
    """Name of a secret -> the key that questions to services are signed with."""
    unavailable: frozenset[str] = frozenset()
    """Targets that are never asked, because their key is missing."""
    admin_token: str | None = attrs.field(repr=False, default=None)
    tls: ssl.SSLContext | None = attrs.field(repr=False, default=None)
    """How clients are spoken to; None: in the clear."""
    network: Network = attrs.field(factory=Network)
    """Replaces the network towards providers, for tests."""
    chance: Chance = chance
    """Where back-off and strategies draw from."""


@attrs.frozen(kw_only=True)
class Candidate:
    """A plan that may take over from the one that runs."""

    plan: Plan
    options: GatewayOptions
    changes: tuple[str, ...] = ()
    """What it does otherwise, for people."""


Prepare = Callable[[Plan], Candidate]
"""Reads the configuration again, given the plan that runs. Called in a thread. Raises KtError."""

Aside = Callable[..., Awaitable[Any]]  # Any: whatever the function returns that it is given
"""Runs a function and its arguments where they do not hold up requests."""

IN_A_THREAD: Aside = partial(trio.to_thread.run_sync, abandon_on_cancel=True)


async def at_once(run: Callable[..., Any], *arguments: Any) -> Any:
    """Run it here, where no request waits."""
    return run(*arguments)


@attrs.frozen
class Running:
    """A gateway that accepts requests."""

    generations: Generations
    port: int
    reload: Reload

    @property
    def app(self) -> App:
        """What answers the requests that come now."""
        return self.generations.newest

    @property
    def url(self) -> str:
        """Where it answers, as seen from this machine."""
        return f"http://127.0.0.1:{self.port}"


@attrs.frozen
class Shared:
    """What outlives a plan, so that a reload neither forgets nor doubles anything."""

    gate: Gate
    metrics: Metrics
    windows: MemoryWindows = attrs.field(factory=MemoryWindows)
    started: float = attrs.field(factory=trio.current_time)

    @classmethod
    def of(cls, plan: Plan) -> "Shared":
        """For a gateway whose first plan this is."""
        gate = Gate(plan.admission, plan.timeouts, plan.sizes)
        metrics = Metrics(plan.digest, plan.version, lambda: gate.running, lambda: gate.waiting)
        return cls(gate, metrics)


@asynccontextmanager
async def built(
    plan: Plan,
    options: GatewayOptions,
    shared: Shared | None = None,
    reload: Reload | None = None,
    aside: Aside = at_once,
) -> AsyncIterator[App]:
    """The app of a plan, warmed up, with its sinks running; closed when the block is left.

    What is slow and waits for nothing runs `aside`.
    Raises UsageError for a plan without targets, an audit log that cannot be written, and keys and
    TLS files that cannot be used.
    """
    if not plan.targets:
        raise UsageError("the plan has no provider to send requests to", "use --upstream URL")
    shared = shared or Shared.of(plan)
    metrics = shared.metrics
    audit = _audit_log(options.audit_path, metrics) if plan.audit else None
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(
            upstreams(plan, options.secrets, options.unavailable, options.network)
        )
        router = Router(plan, providers, options.chance)
        for upstream in providers:
            counts = partial(getattr, upstream, "counts")
            stack.enter_context(metrics.connections(upstream.target.id, counts))
        router = Router(plan, providers, options.chance)
        for health in router.health.values():
            stack.enter_context(metrics.circuit(health))
        services = await stack.enter_async_context(
            askers(plan, options.signing_keys, options.network, wall_clock())
        )
        app = App(
            plan=plan,
            endpoints=await aside(Endpoints.of, plan, shared.gate, providers, router, services),
            passthrough=Passthrough.of(plan, shared.gate, providers),
            metrics=metrics,
            audit=audit,
            log=options.log,
            gateway_id=options.gateway_id,
            entrance=Entrance.of(plan.access, options.client_keys, shared.windows, wall_clock()),
            admin_token=options.admin_token,
            started=shared.started,
            reload=reload,
        )
        if plan.routing.health is not None:
            probing = await stack.enter_async_context(trio.open_nursery())
            stack.callback(probing.cancel_scope.cancel)
            probing.start_soon(probe_targets, providers, router.health, plan.routing.health)
        nursery = await stack.enter_async_context(trio.open_nursery())
        if audit is not None:
            await nursery.start(audit.run)
            stack.callback(audit.close)
        if plan.connecting.warm_up is not None:
            await warm_up(providers, plan.connecting.warm_up, options.log)
        yield app


def _audit_log(path: Path, metrics: Metrics) -> AuditLog:
    try:
        open_private(path).close()
    except OSError as error:
        hint = "set KEEPTRUSTS_STATE_DIR to a directory that can be written"
        raise UsageError(f"cannot write the audit log: {error.strerror}", hint) from None
    return AuditLog(path, metrics)


def _cannot_read_again(_: Plan) -> Candidate:
    hint = "stop it and start it again"
    raise UsageError("this gateway was given a plan that it cannot read again", hint)


class Succession:
    """Which plan follows which in one gateway."""

    def __init__(
        self,
        nursery: trio.Nursery,
        served: Generations,
        first: Candidate,
        prepare: Prepare = _cannot_read_again,
        aside: Aside = IN_A_THREAD,
    ) -> None:
        """Reloads happen in the nursery, and their slow parts `aside`."""
        self._served = served
        self._first = first
        self._prepare = prepare
        self._aside = aside
        self._shared = Shared.of(first.plan)
        self.tls = first.options.tls
        """For the next handshake."""
        self._reloader = Reloader(nursery, self._follow, self._failed, first.options.log)

    async def begin(self) -> None:
        """Let the first plan begin, where no request waits yet."""
        await self._served.begin(self._make(self._first, at_once))

    async def reload(self) -> ReloadReport:
        """Read the configuration again and run what it says; on any failure all stays as it is."""
        return await self._reloader.reload()

    def _make(self, candidate: Candidate, aside: Aside) -> Make:
        plan, options = candidate.plan, candidate.options
        return partial(built, plan, options, self._shared, reload=self.reload, aside=aside)

    async def _follow(self) -> ReloadReport:
        if self._served.is_draining:
            raise GatewayError("draining", "the gateway is shutting down")
        before = self._served.newest.plan
        candidate: Candidate = await self._aside(self._prepare, before)
        await self._served.begin(self._make(candidate, self._aside))
        self.tls = candidate.options.tls or self.tls
        return self._counted(
            ReloadReport(
                before=before.digest,
                after=candidate.plan.digest,
                changes=candidate.changes,
                kept=kept(self._first.plan, candidate.plan),
            )
        )

    def _failed(self, failure: KtError) -> ReloadReport:
        digest = self._served.newest.plan.digest
        return self._counted(ReloadReport(before=digest, after=digest, failure=failure))

    def _counted(self, report: ReloadReport) -> ReloadReport:
        self._shared.metrics.reloads.labels(report.result).inc()
        return report


KEPT: tuple[tuple[str, Callable[[Plan], object]], ...] = (
    ("gateway.listen_port", lambda plan: plan.listen_port),
    ("gateway.edge", lambda plan: plan.edge),
    ("gateway.timeouts.idle, towards clients,", lambda plan: plan.timeouts.idle.seconds),
)
"""What the open listener and its connections have from the first plan, by its key."""


def kept(first: Plan, now: Plan) -> tuple[str, ...]:
    """What of a plan does not act because the gateway began with another."""
    return tuple(name for name, value in KEPT if value(first) != value(now))


async def run_gateway(
    plan: Plan,
    options: GatewayOptions,
    drain: trio.Event,
    prepare: Prepare = _cannot_read_again,
    *,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `drain` is set and every request has ended or its time is up.

    `prepare` finds the plans that take this one's place on `Running.reload` and the admin path.
    """
    settings = ServeSettings(
        edge=plan.edge,
        keep_alive=plan.timeouts.idle.seconds,
        send=plan.timeouts.send.seconds,
        drain=plan.timeouts.drain.seconds,
        head_bytes=plan.sizes.request_head.value,
    )
    async with generations() as served, trio.open_nursery() as nursery:
        first = Candidate(plan=plan, options=options)
        succession = Succession(nursery, served, first, prepare)
        await succession.begin()
        # ORDER: the listener opens last, when everything that a request needs is warm.
        listeners = await open_listeners(options.host, options.port)
        nursery.start_soon(_note_drain, drain, served)
        task_status.started(Running(served, bound_port(listeners), succession.reload))
        tls = options.tls
        contexts = None if tls is None else lambda: succession.tls or tls
        await serve(
            served, listeners, settings=settings, drain=drain, log=options.log, tls=contexts
        )
        nursery.cancel_scope.cancel()


async def _note_drain(drain: trio.Event, served: Generations) -> None:
    await drain.wait()
    served.drain()
