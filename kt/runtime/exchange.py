"""One request on its way through the gateway, whatever becomes of its body.

Theory of operation. One request is one cancel scope: the client leaving, the total deadline and a
drain that lasts too long all cancel it, and everything below (queue place, upstream connection,
buffered body) is given back on the way out. A task watches `receive()`, because the server never
cancels us and drops what we send to a client that is gone.

Rules of this file: a refusal is a GatewayError and is turned into an answer in one place; the total
deadline ends at the first released byte of a stream, after which the gap between pieces governs,
and the stream's own deadline where the plan has one.
"""

from collections.abc import Mapping

import attrs
import trio

from kt.errors import GatewayError
from kt.plan import Plan
from kt.runtime.admission import Gate
from kt.runtime.body import ClientLeft, read_body
from kt.runtime.inbox import Receive
from kt.runtime.ledger import Ledger
from kt.runtime.reply import Reply
from kt.runtime.upstream import Answer


@attrs.define
class Exchange:
    """One request; what is done with it is `work`."""

    plan: Plan
    gate: Gate
    receive: Receive
    headers: Mapping[bytes, bytes]
    reply: Reply
    ledger: Ledger
    deadline: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    client_has_left: bool = False

    async def answer(self) -> None:
        """Answer completely. Raises ClientLeft if there is nobody to answer."""
        with self.deadline as scope:
            scope.deadline = self.ledger.started + self.plan.timeouts.request.seconds
            try:
                await self._run()
            except GatewayError as error:
                scope.deadline = float("inf")
                await self.reply.refuse(error)
        if self.deadline.cancelled_caught:
            await self.reply.refuse(self._too_long())

    def _too_long(self) -> GatewayError:
        if self.reply.started:
            return GatewayError("stream_timeout", "the answer took longer than it may in total")
        message = "the request took longer than it may in total"
        return GatewayError("request_timeout", message)

    async def work(self, body: bytes) -> None:
        """Answer, now that there is a slot. Raises GatewayError where there is no answer."""
        raise NotImplementedError

    async def _run(self) -> None:
        limit = self.plan.sizes.request_body.value
        with self.gate.buffer() as buffer:
            body = await read_body(self.receive, self.headers, limit, buffer.grow)
            self.ledger.asked = len(body)
            await self._while_client_stays(body)

    async def _while_client_stays(self, body: bytes) -> None:
        """Cancel the work when the client leaves. Raises ClientLeft, or what the work raised."""
        failure: GatewayError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_client, nursery.cancel_scope)
            try:
                await self._admitted(body)
            except GatewayError as error:
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure
        if self.client_has_left:
            raise ClientLeft

    async def _watch_client(self, work: trio.CancelScope) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        if self.reply.ended:
            return  # that is the end of the exchange; what follows the answer may still be read
        self.client_has_left = True
        work.cancel()

    async def _admitted(self, body: bytes) -> None:
        asked = trio.current_time()
        identity = self.ledger.identity
        async with self.gate.slot(identity.user, identity.team):
            self.ledger.seconds["queue"] = trio.current_time() - asked
            await self.work(body)

    def passed_on(self) -> dict[bytes, bytes]:
        """The headers by which all who see a request know it."""
        identity = self.ledger.identity
        return {
            b"x-request-id": identity.request_id.encode(),
            b"traceparent": identity.traceparent.encode(),
        }

    def note_waiting(self, answer: Answer) -> None:
        """Note how long the provider let us wait for its answer's head."""
        waiting = answer.waiting
        connected = waiting.connected or waiting.started
        answered = waiting.answered or connected
        turned = waiting.turned or waiting.started
        self.ledger.seconds["pool"] = turned - waiting.started
        self.ledger.seconds["connect"] = connected - turned
        self.ledger.seconds["upstream"] = answered - connected
        self.ledger.upstream_wait += answered - waiting.started

    async def pass_on(self, answer: Answer) -> None:
        """Send a provider's refusal as it came."""
        body = await answer.whole(self.plan.sizes.response_body.value)
        self.ledger.code = "upstream_refused"
        content_type = answer.content_type.encode("latin-1")
        await self.reply.whole(answer.status, body, content_type, answer.headers)

    async def send(self, answer: Answer, data: bytes) -> None:
        """Send a part of a stream."""
        if not self.reply.started:
            # From the first released byte on, the gap between pieces is what is limited.
            longest = self.plan.streaming.duration
            seconds = float("inf") if longest is None else longest.seconds
            self.deadline.deadline = trio.current_time() + seconds
        await self.reply.stream(data, answer.headers)


def demand_answer(answer: Answer) -> None:
    """Raise GatewayError where a provider's answer is none for the client."""
    if answer.status >= 500 or 300 <= answer.status < 400:
        raise GatewayError("upstream_5xx", f"the provider answered {answer.status}")
    if answer.status in (401, 403):
        raise GatewayError("upstream_auth", "the provider refused the gateway's credentials")


def after_attempts(error: GatewayError, attempts: int) -> GatewayError:
    """A provider's failure as the client sees it: where we asked again, asking again is no use."""
    if attempts <= 1 or error.refusal.type != "upstream_error":
        return error
    return GatewayError(error.code, error.message, should_retry=False)
