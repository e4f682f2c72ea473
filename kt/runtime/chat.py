"""Answer a request of any judged format: judge it, ask a provider, judge the answer.

Theory of operation. One request is one cancel scope: the client leaving, the total deadline and a
drain that lasts too long all cancel it, and everything below (queue place, upstream connection,
buffered body) is given back on the way out. A task watches `receive()`, because the server never
cancels us and drops what we send to a client that is gone.

Rules of this file: a refusal is a GatewayError and is turned into an answer in one place; the total
deadline ends at the first released byte of a stream, after which the gap between pieces governs.
"""

from collections.abc import Mapping

import attrs
import trio

from kt.errors import GatewayError
from kt.exchange import Segment
from kt.plan import Plan, Target
from kt.runtime.admission import Gate
from kt.runtime.body import ClientLeft, read_body
from kt.runtime.conditions import ClientRequest, FactReader
from kt.runtime.engine import THREADS, BoundStep, PolicyBudget, bind, judge
from kt.runtime.fused import StreamRules
from kt.runtime.inbox import Receive
from kt.runtime.ledger import Ledger
from kt.runtime.reply import Reply
from kt.runtime.settle import Decision
from kt.runtime.stream import MAX_EVENT, AnswerStream
from kt.runtime.upstream import Answer, TargetUnavailable, Upstream
from kt.wire.format import Format, StreamFormat
from kt.wire.json_body import JsonObject, JsonValue, parse_strict
from kt.wire.segments import apply_edits


@attrs.frozen(kw_only=True)
class Endpoints:
    """The paths whose bodies are judged, bound to one plan."""

    plan: Plan
    gate: Gate
    upstreams: tuple[Upstream, ...]
    """In the order in which they are tried."""
    input: tuple[tuple[BoundStep, ...], ...]
    output: tuple[tuple[BoundStep, ...], ...]
    stream_rules: StreamRules
    facts: FactReader
    """Reads what the conditions of the plan ask about."""
    threads: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(THREADS))
    """Where checks of large texts run."""

    @classmethod
    def of(cls, plan: Plan, gate: Gate, upstreams: tuple[Upstream, ...]) -> "Endpoints":
        """Bind a plan's steps to their functions."""
        stream_rules = StreamRules.of(plan.output)
        stream_rules.warm()
        return cls(
            plan=plan,
            gate=gate,
            upstreams=upstreams,
            input=bind(plan.input),
            output=bind(plan.output),
            stream_rules=stream_rules,
            facts=FactReader.of(plan),
        )

    def speaks(self, form: Format) -> bool:
        """Whether the plan has a target for this format, with its key or without."""
        return any(serves(target, form) for target in self.plan.targets)

    async def answer(
        self,
        form: Format,
        receive: Receive,
        headers: Mapping[bytes, bytes],
        reply: Reply,
        ledger: Ledger,
    ) -> None:
        """Answer one request completely. Raises ClientLeft if there is nobody to answer."""
        exchange = Exchange(self, form, receive, headers, reply, ledger)
        with trio.CancelScope() as scope:
            scope.deadline = ledger.started + self.plan.timeouts.request.seconds
            exchange.deadline = scope
            try:
                await exchange.run()
            except GatewayError as error:
                scope.deadline = float("inf")
                await reply.refuse(error)
        if scope.cancelled_caught:
            message = "the request took longer than it may in total"
            await reply.refuse(GatewayError("request_timeout", message))


def serves(target: Target, form: Format) -> bool:
    """Whether a target can be asked in this format: what declares none is asked in any."""
    return target.format in (None, form.dialect)


@attrs.define
class Exchange:
    """One request on its way through the gateway."""

    endpoints: Endpoints
    form: Format
    receive: Receive
    headers: Mapping[bytes, bytes]
    reply: Reply
    ledger: Ledger
    deadline: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    client_has_left: bool = False
    budget: PolicyBudget = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Open the budget of policy time."""
        seconds = self.endpoints.plan.timeouts.policy.seconds
        self.budget = PolicyBudget(seconds, self.endpoints.threads)

    async def run(self) -> None:
        """Read, queue, judge, ask, judge, answer."""
        if not self.endpoints.speaks(self.form):
            message = "no target of this gateway speaks the format of this path"
            raise GatewayError("no_target", message)
        with self.endpoints.gate.buffer() as buffer:
            body = await read_body(
                self.receive,
                self.headers,
                self.endpoints.plan.sizes.request_body.value,
                buffer.grow,
            )
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
        async with self.endpoints.gate.slot():
            self.ledger.seconds["queue"] = trio.current_time() - asked
            await self._judged(body)

    async def _judged(self, body: bytes) -> None:
        value = self.form.check_request(parse_strict(body))
        self.ledger.model = self.form.model_of(value)
        self.ledger.stream = self.form.wants_stream(value)
        started = trio.current_time()
        segments = self.form.request_segments(value)
        self._note_facts(value, segments)
        self._demand_text(value)
        decision = await judge(self.endpoints.input, segments, self.budget, self.ledger.facts)
        self.ledger.seconds["input"] = trio.current_time() - started
        self._heed(decision)
        if decision.edits:
            body = apply_edits(body, segments, decision.edits)
        await self._asked(body)

    def _demand_text(self, value: JsonObject) -> None:
        """Refuse token numbers where a policy would have to read them (decision 022)."""
        acts = any(
            one.step.facts.can_block or one.step.facts.edits
            for stage in self.endpoints.input
            for one in stage
            if one.is_for(self.ledger.facts)
        )
        if acts and not self.form.is_all_text(value):
            message = "send text: policies of this gateway cannot read token numbers"
            raise GatewayError("tokens_not_readable", message)

    def _note_facts(self, value: JsonObject, segments: tuple[Segment, ...]) -> None:
        """Read what conditions ask about now: later the text is redacted and the model another."""
        self.ledger.facts = self.endpoints.facts.read(
            ClientRequest(
                path=self.form.path,
                headers=self.headers,
                identity=self.ledger.identity,
                body=value,
                segments=segments,
            )
        )

    def _heed(self, decision: Decision) -> None:
        self.ledger.add(decision)
        refusal = decision.refusal()
        if refusal is not None:
            raise refusal

    async def _asked(self, body: bytes) -> None:
        failures: list[GatewayError] = []
        for upstream in self.endpoints.upstreams:
            if not serves(upstream.target, self.form):
                continue
            try:
                await self._ask(upstream, body)
            except TargetUnavailable as unavailable:
                failures.append(unavailable.error)
            else:
                return
        raise _all_failed(failures)

    async def _ask(self, upstream: Upstream, body: bytes) -> None:
        started = trio.current_time()
        model = upstream.target.model
        sent = body if model is None else self.form.with_model(body, model)
        self.ledger.provider = upstream.target.id
        self.ledger.facts = self.endpoints.facts.with_provider(
            self.ledger.facts, upstream.target.id
        )
        self.ledger.model = model or self.ledger.model
        self.ledger.seconds["route"] = trio.current_time() - started
        async with upstream.ask(self.form.path, self._forwarded(), sent) as answer:
            self._note_waiting(answer)
            await self._answered(answer)

    def _forwarded(self) -> dict[bytes, bytes]:
        identity = self.ledger.identity
        allowed = self.form.forwarded
        chosen = {name: value for name, value in self.headers.items() if name in allowed}
        own = {
            b"x-request-id": identity.request_id.encode(),
            b"traceparent": identity.traceparent.encode(),
        }
        return {**dict(self.form.own_headers), **chosen, **own}

    def _note_waiting(self, answer: Answer) -> None:
        waiting = answer.waiting
        connected = waiting.connected or waiting.started
        answered = waiting.answered or connected
        self.ledger.seconds["connect"] = connected - waiting.started
        self.ledger.seconds["upstream"] = answered - connected
        self.ledger.upstream_wait += answered - waiting.started

    async def _answered(self, answer: Answer) -> None:
        if answer.status >= 500 or 300 <= answer.status < 400:
            raise GatewayError("upstream_5xx", f"the provider answered {answer.status}")
        if answer.status in (401, 403):
            raise GatewayError("upstream_auth", "the provider refused the gateway's credentials")
        if answer.status >= 400:
            await self._pass_on(answer)
        elif answer.content_type.lower().startswith("text/event-stream"):
            await self._relay(answer, self._stream_format())
        else:
            await self._whole(answer)

    async def _pass_on(self, answer: Answer) -> None:
        body = await answer.whole(self.endpoints.plan.sizes.response_body.value)
        self.ledger.code = "upstream_refused"
        content_type = answer.content_type.encode("latin-1")
        await self.reply.whole(answer.status, body, content_type, answer.headers)

    async def _whole(self, answer: Answer) -> None:
        body = await answer.whole(self.endpoints.plan.sizes.response_body.value)
        self.ledger.upstream_wait += answer.waited
        value = self.form.parse_answer(body)
        self._note_usage(self.form.usage(value))
        if self.endpoints.output:
            body = await self._judged_answer(body, value)
        await self.reply.whole(answer.status, body, headers=answer.headers)

    async def _judged_answer(self, body: bytes, value: JsonValue) -> bytes:
        started = trio.current_time()
        segments = self.form.answer_segments(value)
        decision = await judge(self.endpoints.output, segments, self.budget, self.ledger.facts)
        self._heed(decision)
        body = self.form.edited_answer(body, value, segments, decision.edits)
        self.ledger.seconds["output"] = trio.current_time() - started
        return body

    def _stream_format(self) -> StreamFormat:
        if self.form.stream is None:
            raise GatewayError("bad_response", "the provider streams what has no streamed form")
        return self.form.stream

    async def _relay(self, answer: Answer, form: StreamFormat) -> None:
        sizes = self.endpoints.plan.sizes
        stream = AnswerStream(
            format=form,
            rules=self.endpoints.stream_rules.for_request(self.ledger.facts),
            hold=sizes.stream_hold.value,
            budget=self.budget,
            max_event=sizes.response_body.value if form.repeats_texts else MAX_EVENT,
        )
        try:
            await self._relay_pieces(answer, stream)
        finally:
            self._note_stream(answer, stream)

    async def _relay_pieces(self, answer: Answer, stream: AnswerStream) -> None:
        collected = bytearray()
        while not stream.is_done:
            piece = await answer.piece()
            for frame in stream.end() if piece is None else stream.feed(piece):
                if self.endpoints.plan.keep_answer_whole:
                    self._collect(collected, frame)
                else:
                    await self._send(answer, frame)
        if collected:
            await self._send(answer, bytes(collected))
        await self.reply.end()
        await answer.read_to_end()

    def _collect(self, collected: bytearray, frame: bytes) -> None:
        collected += frame
        if len(collected) > self.endpoints.plan.sizes.response_body.value:
            raise GatewayError("bad_response", "the provider's answer is larger than allowed")

    async def _send(self, answer: Answer, data: bytes) -> None:
        # From the first released byte on, the gap between pieces is what is limited.
        self.deadline.deadline = float("inf")
        await self.reply.stream(data, answer.headers)

    def _note_stream(self, answer: Answer, stream: AnswerStream) -> None:
        self.reply.number = stream.number + 1
        self.ledger.upstream_wait += answer.waited
        self.ledger.most_held = stream.most_held
        self.ledger.seconds["output"] = stream.seconds
        self.ledger.add(stream.decision())
        self._note_usage(stream.usage)
        if stream.upstream_failed:
            self.ledger.code = "upstream_error"

    def _note_usage(self, usage: tuple[int | None, int | None]) -> None:
        self.ledger.input_tokens, self.ledger.output_tokens = usage


def _all_failed(failures: list[GatewayError]) -> GatewayError:
    """What to say when no target could be asked: the last reason, and whether we tried several."""
    if not failures:
        message = "no provider has its key; the gateway's log says which are missing"
        return GatewayError("upstream_auth", message)
    last = failures[-1]
    should_retry = False if len(failures) > 1 else None
    return GatewayError(last.code, last.message, should_retry=should_retry)
