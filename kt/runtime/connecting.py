"""From a plan to connections: each target's transport and its TLS, and what is opened ahead.

In: a plan, its secrets, and what stands in for the network. Out: upstreams, closed with the block.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from math import inf
from pathlib import Path

import attrs
import trio

from kt.errors import GatewayError, UsageError
from kt.plan import Connecting, HttpVersion, Plan, Pool, Target, Tls, WarmUp
from kt.plan import Transport as Transports
from kt.runtime.guard import Log
from kt.runtime.upstream import TargetUnavailable, Transport, Upstream
from kt.transport.client import Client, Speech
from kt.transport.httpx_client import AnyTransport, HttpxClient, httpx_transport
from kt.transport.messages import Origin
from kt.transport.pool import PoolLimits, Total, reap
from kt.transport.streams import Credentials, Dial, Probes, dialer, tls_context


@attrs.frozen(kw_only=True)
class Network:
    """What stands in for the network, in tests and simulations."""

    dial: Dial | None = None
    """Opens the streams of our transport."""
    transport: AnyTransport | None = None
    """Answers in place of every target."""


@asynccontextmanager
async def upstreams(
    plan: Plan, secrets: Mapping[str, str], unavailable: frozenset[str], network: Network
) -> AsyncIterator[tuple[Upstream, ...]]:
    """The targets that can be asked, in their order.

    Raises UsageError for a key that cannot be sent and for TLS files that cannot be used.
    """
    targets = [target for target in plan.targets if target.id not in unavailable]
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        workshop = _Workshop(plan.connecting, network, nursery)
        made = tuple(
            Upstream(target, secrets.get(target.id), plan.timeouts, workshop.transport(target))
            for target in targets
        )
        for upstream in made:
            stack.push_async_callback(upstream.aclose)
        nursery.start_soon(reap, workshop.total)
        yield made


class _Workshop:
    """What the transports of one gateway share."""

    def __init__(self, connecting: Connecting, network: Network, nursery: trio.Nursery) -> None:
        most = inf if connecting.max_total is None else connecting.max_total.value
        self.total = Total(most)
        self._network = network
        self._nursery = nursery
        self._is_httpx = connecting.transport is Transports.HTTPX
        self._is_http2 = connecting.http_version is HttpVersion.HTTP2
        self._probes = _probes(connecting)
        self._dial = network.dial or dialer(self._probes)
        self._contexts: dict[Tls, ssl.SSLContext] = {}

    def transport(self, target: Target) -> Transport:
        """The connections to one target."""
        origin = Origin.of(target.base_url)
        limits, speech = _limits(target.pool), self._speech(origin, target)
        if self._network.transport is not None:
            return HttpxClient(self._network.transport)
        if self._is_httpx:
            return HttpxClient(httpx_transport(limits, speech, self._probes))
        return Client(origin, limits, self.total, self._dial, self._nursery, speech)

    def _speech(self, origin: Origin, target: Target) -> Speech:
        context = self._context(target) if origin.is_tls else None
        return Speech(tls=context, is_http2=self._is_http2)

    def _context(self, target: Target) -> ssl.SSLContext:
        # Reading the public authorities takes milliseconds, and most targets share them.
        if target.tls not in self._contexts:
            self._contexts[target.tls] = _read_context(target, with_http2=self._is_http2)
        return self._contexts[target.tls]


def _read_context(target: Target, *, with_http2: bool) -> ssl.SSLContext:
    tls = target.tls
    files = Credentials(
        *(None if name is None else Path(name) for name in attrs.astuple(tls, recurse=False))
    )
    try:
        return tls_context(files, with_http2=with_http2)
    except OSError as error:
        message = f"the TLS files of '{target.id}' cannot be used: {error.strerror}"
        raise UsageError(message, "check ca_file, client_cert and client_key") from None


def _limits(pool: Pool) -> PoolLimits:
    return PoolLimits(
        max_connections=pool.max_connections,
        max_idle=pool.max_idle,
        idle=pool.idle.seconds,
        lifetime=inf if pool.lifetime is None else pool.lifetime.seconds,
    )


def _probes(connecting: Connecting) -> Probes | None:
    keep_alive = connecting.keep_alive
    if keep_alive is None:
        return None
    return Probes(keep_alive.interval.seconds, keep_alive.timeout.seconds)


async def warm_up(upstreams: tuple[Upstream, ...], how: WarmUp, log: Log) -> None:
    """Open connections to every target at once; one that cannot be reached is only told of."""
    async with trio.open_nursery() as nursery:
        for upstream in upstreams:
            nursery.start_soon(_warm, upstream, how, log)


async def _warm(upstream: Upstream, how: WarmUp, log: Log) -> None:
    try:
        await upstream.warm(how.connections.value, how.probe)
    except TargetUnavailable as unavailable:
        log(f"warning: warm-up: {unavailable.error.message}")
    except GatewayError as error:
        log(f"warning: warm-up: {error.message}")
