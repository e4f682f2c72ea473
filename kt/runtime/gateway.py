"""The composition root: build everything that a plan needs, serve it, take it down again.

Order of taking down: stop accepting, let requests end (bounded), then the audit log writes what it
still has, then connections to providers close.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import trio

from kt.errors import UsageError
from kt.plan import Plan
from kt.routing.backoff import Chance
from kt.runtime.admission import Gate
from kt.runtime.app import App
from kt.runtime.asking import askers
from kt.runtime.audit import AuditLog, open_private
from kt.runtime.connecting import Network, upstreams, warm_up
from kt.runtime.endpoints import Endpoints
from kt.runtime.entrance import Entrance
from kt.runtime.guard import Log
from kt.runtime.identity import chance
from kt.runtime.ledger import wall_clock
from kt.runtime.metrics import Metrics
from kt.runtime.passthrough import Passthrough
from kt.runtime.probing import probe_targets
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
    network: Network = attrs.field(factory=Network)
    """Replaces the network towards providers, for tests."""
    chance: Chance = chance
    """Where back-off and strategies draw from."""


@attrs.frozen
class Running:
    """A gateway that accepts requests."""

    app: App
    port: int

    @property
    def url(self) -> str:
        """Where it answers, as seen from this machine."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def built(plan: Plan, options: GatewayOptions) -> AsyncIterator[App]:
    """The app of a plan with its sinks running; closed when the block is left.

    Raises UsageError for a plan without targets, an audit log that cannot be written, and keys and
    TLS files that cannot be used.
    """
    if not plan.targets:
        raise UsageError("the plan has no provider to send requests to", "use --upstream URL")
    gate = Gate(plan.admission, plan.timeouts, plan.sizes)
    metrics = Metrics(plan.digest, plan.version, lambda: gate.running, lambda: gate.waiting)
    audit = _audit_log(options.audit_path, metrics) if plan.audit else None
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(
            upstreams(plan, options.secrets, options.unavailable, options.network)
        )
        services = await stack.enter_async_context(
            askers(plan, options.signing_keys, options.network, wall_clock())
        )
        router = Router(plan, providers, options.chance)
        for upstream in providers:
            metrics.watch_connections(upstream.target.id, partial(getattr, upstream, "counts"))
            metrics.watch_circuit(router.health[upstream.target.id])
        app = App(
            plan=plan,
            endpoints=Endpoints.of(plan, gate, providers, router, services),
            passthrough=Passthrough.of(plan, gate, providers),
            metrics=metrics,
            audit=audit,
            log=options.log,
            gateway_id=options.gateway_id,
            entrance=Entrance.of(plan.access, options.client_keys, MemoryWindows(), wall_clock()),
            admin_token=options.admin_token,
        )
        if plan.routing.health is not None:
            probing = await stack.enter_async_context(trio.open_nursery())
            stack.callback(probing.cancel_scope.cancel)
            probing.start_soon(probe_targets, providers, router.health, plan.routing.health)
        nursery = await stack.enter_async_context(trio.open_nursery())
        if audit is not None:
            await nursery.start(audit.run)
            stack.callback(audit.close)
        yield app


def _audit_log(path: Path, metrics: Metrics) -> AuditLog:
    try:
        open_private(path).close()
    except OSError as error:
        hint = "set KEEPTRUSTS_STATE_DIR to a directory that can be written"
        raise UsageError(f"cannot write the audit log: {error.strerror}", hint) from None
    return AuditLog(path, metrics)


async def run_gateway(
    plan: Plan,
    options: GatewayOptions,
    drain: trio.Event,
    *,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `drain` is set and every request has ended or its time is up."""
    settings = ServeSettings(
        edge=plan.edge,
        keep_alive=plan.timeouts.idle.seconds,
        send=plan.timeouts.send.seconds,
        drain=plan.timeouts.drain.seconds,
        head_bytes=plan.sizes.request_head.value,
    )
    async with built(plan, options) as app, trio.open_nursery() as nursery:
        if plan.connecting.warm_up is not None:
            await warm_up(app.endpoints.upstreams, plan.connecting.warm_up, options.log)
        # ORDER: the listener opens last, when everything that a request needs is warm.
        listeners = await open_listeners(options.host, options.port)
        nursery.start_soon(_note_drain, drain, app)
        running = Running(app, bound_port(listeners))
        task_status.started(running)
        await serve(app, listeners, settings=settings, drain=drain, log=options.log)


async def _note_drain(drain: trio.Event, app: App) -> None:
    await drain.wait()
    app.is_draining = True
