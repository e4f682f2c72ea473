"""ASGI in, ASGI out: which path is answered by what, and what is written down about it afterwards.

Rules of this file: one request's bug is one request's 500; one event per request, however it ended.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import attrs
import orjson
import trio

from kt import __version__
from kt.errors import GatewayError
from kt.plan import Plan, to_data
from kt.runtime.access import ANYBODY, Caller
from kt.runtime.audit import AuditLog, Recorder, bind_recorders
from kt.runtime.body import ClientLeft
from kt.runtime.conditions import ClientRequest
from kt.runtime.endpoints import Endpoints
from kt.runtime.entrance import NO_PERMIT, Entrance
from kt.runtime.guard import Log, describe
from kt.runtime.identity import Headers, Identity, same_secret
from kt.runtime.inbox import Receive, Send
from kt.runtime.ledger import Ledger
from kt.runtime.metrics import CONTENT_TYPE, Metrics
from kt.runtime.passthrough import METHODS, Forwarded, Passthrough
from kt.runtime.providers import names_of_models, providers_page
from kt.runtime.reload import Reload
from kt.runtime.reply import Reply
from kt.wire.chat import CHAT
from kt.wire.endpoints import FORMATS
from kt.wire.format import Format

Scope = Mapping[str, Any]
"""ASGI's scope: its keys depend on its type."""
Page = Callable[[], tuple[int, bytes, bytes]]
"""A page that needs no request: status, body, content type."""

Answering = Callable[[Receive, Headers, Reply, Ledger], Awaitable[None]]
"""Answers one request completely. Raises ClientLeft, or GatewayError where it is refused."""

PLAIN = b"text/plain; charset=utf-8"
CLIENT_CLOSED = 499
"""The status in the event of a client that left; it is never sent."""


@attrs.frozen
class Request:
    """What the routing needs of an ASGI scope."""

    method: str
    path: str
    headers: Headers
    query: bytes = b""
    peer: str = ""
    """Who holds the other end of the connection; empty where that is not known."""

    @classmethod
    def of(cls, scope: Scope) -> "Request":
        """Read the scope."""
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        client = scope.get("client")
        peer = client[0] if client else ""
        return cls(scope["method"], scope["path"], headers, scope["query_string"], peer)


@attrs.define
class App:
    """The gateway as an ASGI application."""

    plan: Plan
    endpoints: Endpoints
    passthrough: Passthrough
    metrics: Metrics
    audit: AuditLog | None
    log: Log
    gateway_id: str
    admin_token: str | None = attrs.field(repr=False)
    """None where the listener is loopback and every local user is trusted."""
    started: float
    """When the gateway began, by trio's clock; the plan may be younger."""
    reload: Reload | None = None
    """Puts another plan in this one's place; None where nothing can."""
    entrance: Entrance | None = None
    """Whom it lets in; None where everybody may ask."""
    is_draining: bool = False
    _digest: str = attrs.field(init=False)
    _recorders: tuple[Recorder, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Hash the plan and bind its audit steps, once."""
        self._digest = self.plan.digest
        self._recorders = bind_recorders(self.plan.audit)

    def take_over(self) -> None:
        """From now on this plan is the gateway's: its limits hold, its digest is shown."""
        self.endpoints.gate.follow(self.plan.admission, self.plan.timeouts, self.plan.sizes)
        self.metrics.runs(self._digest, self.plan.version)
        if self.entrance is not None:
            self.entrance.take_over()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection scope."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(Request.of(scope), receive, send)

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
        entrance = self.entrance
        caller = ANYBODY if entrance is None else entrance.caller(request.headers)
        ledger = Ledger(
            identity=Identity.of(request.headers, is_believed=caller.is_believed),
            caller=caller,
            digest=self._digest,
            config_version=f"{self.plan.name}@{self.plan.version}",
        )
        form = FORMATS.get(request.path)
        timing = self.plan.server_timing
        reply = Reply(send, ledger, server_timing=timing, form=form or CHAT)
        try:
            if entrance is not None:
                reply.also = entrance.browser_headers(request.headers)
                preflight = entrance.preflight(request.method, request.peer, request.headers)
                if preflight is not None:
                    reply.also = preflight
                    await reply.whole(200, b"", PLAIN)
                    return
            answering = self._answering(form, request)
            if answering is None:
                self._demand(request, caller)
                await self._page(request, reply)
            else:
                await self._recorded(answering, request, receive, reply, ledger)
        except GatewayError as error:
            await reply.refuse(error)

    def _answering(self, form: Format | None, request: Request) -> Answering | None:
        """What answers a request of a provider's API; None for the gateway's own pages."""
        if form is not None:
            _demand(request, "POST")
            return partial(self.endpoints.answer, form)
        if self.passthrough.covers(request.path) and request.path not in self._pages():
            _demand(request, *METHODS)
            target = Forwarded(request.method, request.path, request.query)
            return partial(self.passthrough.answer, target)
        return None

    async def _page(self, request: Request, reply: Reply) -> None:
        if (page := self._pages().get(request.path)) is not None:
            _demand(request, "GET", "HEAD")
            status, body, content_type = page()
            await reply.whole(status, body, content_type)
        elif request.path == "/keeptrusts/config":
            _demand(request, "GET")
            self._demand_admin(request)
            await reply.whole(200, orjson.dumps(self._config()))
        elif request.path == "/keeptrusts/config/reload" and self.reload is not None:
            _demand(request, "POST")
            self._demand_admin(request)
            report = await self.reload()
            await reply.whole(report.status, orjson.dumps(report.as_data()))
        elif request.path == "/keeptrusts/providers/metrics":
            _demand(request, "GET")
            self._demand_admin(request)
            await reply.whole(200, orjson.dumps(self._providers()))
        else:
            raise GatewayError("unknown_path", "there is nothing here; the API is below /v1")

    async def _recorded(
        self,
        answering: Answering,
        request: Request,
        receive: Receive,
        reply: Reply,
        ledger: Ledger,
    ) -> None:
        permit = NO_PERMIT
        try:
            # Who is refused before the body was read is written down by what is known of him.
            ledger.facts = self.endpoints.facts.read(
                ClientRequest(path=request.path, headers=request.headers, identity=ledger.identity)
            )
            if self.is_draining:
                raise GatewayError("draining", "the gateway is shutting down")
            if self.entrance is not None:
                self._demand(request, ledger.caller)
                permit = self.entrance.admit(
                    request.peer, request.headers, ledger.identity, ledger.caller
                )
                reply.also = (*reply.also, *permit.headers)
            await answering(receive, request.headers, reply, ledger)
        except ClientLeft:
            pass
        except GatewayError as error:
            await reply.refuse(error)
        except Exception as bug:
            # The one place around one request: it gets a 500 and an event, the others live on.
            self.log(describe(bug))
            await reply.refuse(GatewayError("internal_error", "the gateway made a mistake"))
        finally:
            if not reply.ended:
                # The client left, or the server cut the connection (a cancellation from outside).
                ledger.status, ledger.code = CLIENT_CLOSED, "client_closed"
            if self.entrance is not None:
                self.entrance.settle(permit, ledger.used())
            self._write_down(ledger)

    def _demand(self, request: Request, caller: Caller) -> None:
        if self.entrance is not None:
            self.entrance.demand(request.path, request.peer, request.headers, caller)

    def _write_down(self, ledger: Ledger) -> None:
        ledger.count(self.metrics)
        is_wanted = any(one.wants(ledger.verdict, ledger.facts) for one in self._recorders)
        if self.audit is not None and is_wanted:
            self.audit.write(ledger.event(self.gateway_id))

    def _pages(self) -> Mapping[str, Page]:
        return {
            "/v1/models": self._models,
            "/health": self._health,
            "/healthz": lambda: (200, b"ok\n", b"text/plain; charset=utf-8"),
            "/readyz": self._ready,
            "/metrics": lambda: (200, self.metrics.page(), CONTENT_TYPE),
        }

    def _models(self) -> tuple[int, bytes, bytes]:
        names = dict.fromkeys(names_of_models(self.plan))
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "kt"} for name in names]
        return 200, orjson.dumps({"object": "list", "data": models}), b"application/json"

    def _health(self) -> tuple[int, bytes, bytes]:
        uptime = int(trio.current_time() - self.started)
        health = {"status": "ok", "version": __version__, "uptime_seconds": uptime}
        return 200, orjson.dumps(health), b"application/json"

    def _ready(self) -> tuple[int, bytes, bytes]:
        status, word = (503, b"draining\n") if self.is_draining else (200, b"ready\n")
        return status, word, b"text/plain; charset=utf-8"

    def _config(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "pack": {"name": plan.name, "version": plan.version},
            "policies": {"chain": list(_chain(plan))},
            "plan": {"digest": self._digest, **to_data(plan)},
        }

    def _providers(self) -> dict[str, Any]:
        endpoints = self.endpoints
        return providers_page(endpoints.upstreams, endpoints.router.health, trio.current_time())

    def _demand_admin(self, request: Request) -> None:
        given = request.headers.get(b"authorization", b"").decode("latin-1")
        if self.admin_token is not None and not same_secret(given, f"Bearer {self.admin_token}"):
            raise GatewayError("admin_token", "this path needs the gateway's admin token")


def _chain(plan: Plan) -> tuple[str, ...]:
    steps = [step for stage in (*plan.input, *plan.output) for step in stage.steps]
    in_order = sorted([*steps, *plan.audit], key=lambda step: step.order)
    return tuple(dict.fromkeys(step.kind for step in in_order))


def _demand(request: Request, *methods: str) -> None:
    if request.method not in methods:
        allow = ((b"allow", ", ".join(methods).encode()),)
        message = f"use {methods[0]} for this path"
        raise GatewayError("method_not_allowed", message, headers=allow)


async def _lifespan(receive: Receive, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
