"""Ask moderation services: each endpoint with connections of its own, apart from the providers'.

In: a plan, the keys that its questions are signed with, what stands in for the network. Out: what
makes a check of a step and a request. Never: a deadline (the step's cancel scope is the clock), a
redirect that is followed, an address that no configuration names, a text in an error.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import attrs
import trio

from kt.exchange import Segment
from kt.patterns.scanner import IsOver
from kt.plan import Ask, Plan, Step
from kt.policy import ALLOW, Verdict
from kt.runtime.connecting import Network
from kt.runtime.engine import FAILED, Check
from kt.runtime.moderation import About, Unusable, question, verdict_of
from kt.runtime.signing import HEADER, signature
from kt.transport.client import Client, Reply, Speech
from kt.transport.messages import Header, Origin, RequestHead
from kt.transport.pool import PoolLimits, Total, reap
from kt.transport.streams import Credentials, Dial, dialer, tls_context

MAX_ANSWER = 2**20
"""The largest answer of a service, in bytes."""
IDLE_SECONDS = 60.0
"""How long a connection to a service is kept that nobody uses."""

OK = 200
HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"kt"),
)


class _Untold:
    """Nobody is told how far a question is: one deadline holds for all of it."""

    def on_turn(self) -> None:
        """Nothing."""

    def on_connection(self) -> None:
        """Nothing."""


@attrs.frozen(kw_only=True)
class Asker:
    """One service and the connections to it."""

    ask: Ask
    head: RequestHead
    client: Client = attrs.field(eq=False)
    key: bytes | None = attrs.field(repr=False)
    """None: unsigned where none is named, else the service is not asked."""
    clock: Callable[[], float] = attrs.field(eq=False)
    """Seconds since the epoch."""

    def __call__(self, step: Step, about: About) -> Check:
        """The check of a step for one request."""

        def check(segments: tuple[Segment, ...], _: IsOver) -> Verdict | Awaitable[Verdict]:
            if not any(one.text for one in segments):
                return ALLOW  # there is nothing to ask about
            if self.key is None and self.ask.secret is not None:
                return FAILED
            return self._verdict(step, about, segments)

        return check

    async def _verdict(self, step: Step, about: About, segments: tuple[Segment, ...]) -> Verdict:
        """Ask. Raises where no usable answer comes; what is cancelled is closed at once."""
        body = question(step, segments, about)
        reply = await self.client.send(self.head, self._signed(body), body, _Untold())
        try:
            if reply.head.status != OK:
                raise Unusable("it does not answer 200")
            answer = await _whole(reply)
        finally:
            await reply.aclose()
        return verdict_of(answer, self.ask, step.order, segments)

    def _signed(self, body: bytes) -> tuple[Header, ...]:
        if self.key is None:
            return ()
        return ((HEADER, signature(self.key, int(self.clock()), body).encode()),)


async def _whole(reply: Reply) -> bytes:
    answer = bytearray()
    while (piece := await reply.piece()) is not None:
        answer += piece
        if len(answer) > MAX_ANSWER:
            raise Unusable("it is larger than an answer may be")
    return bytes(answer)


def asks(plan: Plan) -> tuple[Ask, ...]:
    """Every question of a plan, once."""
    steps = (step for stage in (*plan.input, *plan.output) for step in stage.steps)
    return tuple(dict.fromkeys(step.body for step in steps if isinstance(step.body, Ask)))


@asynccontextmanager
async def askers(
    plan: Plan, keys: Mapping[str, str], network: Network, clock: Callable[[], float]
) -> AsyncIterator[Mapping[Ask, Asker]]:
    """Who asks each question; `keys` are by the names of their secrets. Closed with the block."""
    questions = asks(plan)
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        dial, total = network.dial or dialer(None), Total()
        most = plan.admission.max_concurrent.value
        clients: dict[str, Client] = {}
        for endpoint in dict.fromkeys(ask.endpoint for ask in questions):
            clients[endpoint] = _client(endpoint, most, total, dial, nursery)
            stack.push_async_callback(clients[endpoint].aclose)
        if questions:
            nursery.start_soon(reap, total)
        yield {ask: _asker(ask, clients[ask.endpoint], keys, clock) for ask in questions}


def _client(endpoint: str, most: int, total: Total, dial: Dial, nursery: trio.Nursery) -> Client:
    origin = Origin.of(endpoint)
    limits = PoolLimits(max_connections=most, max_idle=most, idle=IDLE_SECONDS)
    tls = tls_context(Credentials(), with_http2=False) if origin.is_tls else None
    return Client(origin, limits, total, dial, nursery, Speech(tls=tls))


def _asker(ask: Ask, client: Client, keys: Mapping[str, str], clock: Callable[[], float]) -> Asker:
    path = urlsplit(ask.endpoint).path or "/"
    key = None if ask.secret is None else keys.get(ask.secret.name)
    return Asker(
        ask=ask,
        head=RequestHead(Origin.of(ask.endpoint), b"POST", path.encode(), HEADERS),
        client=client,
        key=None if not key else key.encode(),
        clock=clock,
    )
