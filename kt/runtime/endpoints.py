"""Answer a request of any judged format: judge it, ask a provider, judge the answer.

In: a request and its format. Out: its answer, or a refusal. Never: a question which format it is;
what differs is in the Format.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial

import attrs
import trio

from kt.errors import GatewayError
from kt.exchange import Segment
from kt.filters.facts import FilterFacts
from kt.plan import Plan
from kt.policy import Streams
from kt.routing.course import NOT_SENT, Attempt, Course, Failure, status_failure
from kt.runtime.admission import Gate
from kt.runtime.conditions import ClientRequest, FactReader
from kt.runtime.engine import NO_ASKERS, THREADS, Askers, BoundStep, PolicyBudget, bind, judge
from kt.runtime.exchange import Exchange, after_attempts, demand_answer
from kt.runtime.fused import StreamRules
from kt.runtime.inbox import Receive
from kt.runtime.ledger import Ledger
from kt.runtime.moderation import About
from kt.runtime.relay import Relay, pace_of
from kt.runtime.reply import Reply
from kt.runtime.router import Router, Trial, serves, under_way
from kt.runtime.settle import Decision
from kt.runtime.stream import MAX_EVENT, AnswerStream
from kt.runtime.upstream import Answer, TargetUnavailable, Unanswered, Upstream
from kt.wire.format import Format, StreamFormat
from kt.wire.json_body import JsonObject, JsonValue, parse_strict
from kt.wire.segments import apply_edits


@attrs.frozen(kw_only=True)
class Endpoints:
    """The paths whose bodies are judged, bound to one plan."""

    plan: Plan
    gate: Gate
    upstreams: tuple[Upstream, ...]
    """As declared."""
    router: Router
    input: tuple[tuple[BoundStep, ...], ...]
    output: tuple[tuple[BoundStep, ...], ...]
    stream_rules: StreamRules
    facts: FactReader
    """Reads what the conditions of the plan ask about."""
    threads: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(THREADS))
    """Where checks of large texts run."""

    @classmethod
    def of(
        cls,
        plan: Plan,
        gate: Gate,
        upstreams: tuple[Upstream, ...],
        router: Router,
        askers: Askers = NO_ASKERS,
    ) -> "Endpoints":
        """Bind a plan's steps to their functions."""
        stream_rules = StreamRules.of(plan.output)
        stream_rules.warm()
        return cls(
            plan=plan,
            gate=gate,
            upstreams=upstreams,
            router=router,
            input=bind(plan.input, askers),
            output=bind(plan.output, askers),
            stream_rules=stream_rules,
            facts=FactReader.of(plan),
        )

    def demand_streamable(self, facts: FilterFacts) -> None:
        """Refuse a stream where a policy for the request judges only whole answers."""
        for one in (one for stage in self.output for one in stage):
            if one.step.facts.streams is Streams.WHOLE and one.is_for(facts):
                message = f"policy '{one.step.name}' judges only whole answers: ask without stream"
                raise GatewayError("stream_not_judged", message, policy=one.step.name)

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
        if not self.speaks(form):
            message = "no target of this gateway speaks the format of this path"
            raise GatewayError("no_target", message)
        shared = (self.plan, self.gate, receive, headers, reply, ledger)
        await Judged(*shared, endpoints=self, form=form).answer()


async def _wait(seconds: float) -> None:
    if seconds:
        await trio.sleep(seconds)


def _following(
    course: Course, attempt: Attempt, trial: Trial, failure: Failure, status: int | None = None
) -> Attempt | None:
    """Tell the target what became of an attempt, then see what follows."""
    if status is None or status >= 500 or status < 400:
        trial.fail()
    else:
        trial.drop()  # it is alive, and refuses: too many requests, a key, a time of its own
    return course.after(attempt, failure, trio.current_time())


@attrs.define
class Judged(Exchange):
    """A request whose body and answer are judged."""

    endpoints: Endpoints = attrs.field(kw_only=True)
    form: Format = attrs.field(kw_only=True)
    budget: PolicyBudget = attrs.field(init=False)
    model: str = attrs.field(init=False, default="")
    """As the client asks for it."""

    def __attrs_post_init__(self) -> None:
        """Open the budget of policy time."""
        seconds = self.plan.timeouts.policy.seconds
        self.budget = PolicyBudget(seconds, self.endpoints.threads)

    async def work(self, body: bytes) -> None:
        """Judge, ask, judge, answer."""
        value = self.form.check_request(parse_strict(body))
        self.model = self.ledger.model = self.form.model_of(value)
        self.ledger.caller.demand_model(self.ledger.model)
        self.ledger.stream = self.form.wants_stream(value)
        started = trio.current_time()
        segments = self.form.request_segments(value)
        self._note_facts(value, segments)
        self._demand_text(value)
        if self.ledger.stream:
            self.endpoints.demand_streamable(self.ledger.facts)
        decision = await self._judge(self.endpoints.input, segments)
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

    async def _judge(
        self, stages: tuple[tuple[BoundStep, ...], ...], segments: tuple[Segment, ...]
    ) -> Decision:
        about = About(request_id=self.ledger.identity.request_id, model=self.model)
        return await judge(stages, segments, self.budget, self.ledger.facts, about)

    def _heed(self, decision: Decision) -> None:
        self.ledger.add(decision)
        refusal = decision.refusal()
        if refusal is not None:
            raise refusal

    async def _asked(self, body: bytes) -> None:
        router, deadline = self.endpoints.router, self.deadline.deadline
        course = router.course(self.form, self.model, self.ledger.facts, deadline)
        with closing(course):
            attempt: Attempt | None = router.first(course)
            while attempt is not None:
                self.ledger.attempts = course.attempts
                try:
                    attempt = await self._attempted(course, attempt, body)
                except GatewayError as error:
                    raise after_attempts(error, course.attempts) from None

    async def _attempted(self, course: Course, attempt: Attempt, body: bytes) -> Attempt | None:
        """Ask once. What follows, None where the client has its answer."""
        started = trio.current_time()
        with under_way(course, attempt) as trial:
            await _wait(attempt.wait)
            try:
                async with self._ask(attempt, body) as answer:
                    return await self._taken(course, attempt, trial, answer)
            except TargetUnavailable as unavailable:
                error, failure = unavailable.error, NOT_SENT
            except Unanswered as unanswered:
                error, failure = unanswered, unanswered.failure
            self.ledger.upstream_wait += trio.current_time() - started
            following = _following(course, attempt, trial, failure)
            if following is None:
                raise error
            return following

    @asynccontextmanager
    async def _ask(self, attempt: Attempt, body: bytes) -> AsyncIterator[Answer]:
        started = trio.current_time()
        upstream = self.endpoints.router.upstream(attempt)
        model = attempt.candidate.model
        sent = body if model is None else self.form.with_model(body, model)
        self.ledger.provider = upstream.target.id
        self.ledger.facts = self.endpoints.facts.with_provider(
            self.ledger.facts, upstream.target.id
        )
        self.ledger.model = model or self.model
        self.ledger.seconds["route"] = trio.current_time() - started
        async with upstream.ask(self.form.path, self._forwarded(), sent) as answer:
            self.note_waiting(answer)
            yield answer

    async def _taken(
        self, course: Course, attempt: Attempt, trial: Trial, answer: Answer
    ) -> Attempt | None:
        """Answer the client, or leave this answer for the attempt that follows."""
        failure = status_failure(answer.status, answer.advised)
        if failure is not None:
            following = _following(course, attempt, trial, failure, answer.status)
            if following is not None:
                return following
        else:
            trial.head(answer.waiting.seconds)
        await self._answered(answer)
        return None

    def _forwarded(self) -> dict[bytes, bytes]:
        allowed = self.form.forwarded
        chosen = {name: value for name, value in self.headers.items() if name in allowed}
        return {**dict(self.form.own_headers), **chosen, **self.passed_on()}

    async def _answered(self, answer: Answer) -> None:
        demand_answer(answer)
        if answer.status >= 400:
            await self.pass_on(answer)
        elif answer.content_type.lower().startswith("text/event-stream"):
            await self._relay(answer, self._stream_format())
        else:
            await self._whole(answer)

    async def _whole(self, answer: Answer) -> None:
        body = await answer.whole(self.plan.sizes.response_body.value)
        self.ledger.upstream_wait += answer.waited
        value = self.form.parse_answer(body)
        self._note_usage(self.form.usage(value))
        if self.endpoints.output:
            body = await self._judged_answer(body, value)
        await self.reply.whole(answer.status, body, headers=answer.headers)

    async def _judged_answer(self, body: bytes, value: JsonValue) -> bytes:
        started = trio.current_time()
        segments = self.form.answer_segments(value)
        decision = await self._judge(self.endpoints.output, segments)
        self._heed(decision)
        body = self.form.edited_answer(body, value, segments, decision.edits)
        self.ledger.seconds["output"] = trio.current_time() - started
        return body

    def _stream_format(self) -> StreamFormat:
        if self.form.stream is None:
            raise GatewayError("bad_response", "the provider streams what has no streamed form")
        return self.form.stream

    async def _relay(self, answer: Answer, form: StreamFormat) -> None:
        # Again: the provider may be in a condition, or may stream what it was not asked to.
        self.endpoints.demand_streamable(self.ledger.facts)
        sizes = self.plan.sizes
        stream = AnswerStream(
            format=form,
            rules=self.endpoints.stream_rules.for_request(self.ledger.facts),
            hold=sizes.stream_hold.value,
            budget=self.budget,
            max_event=sizes.response_body.value if form.repeats_texts else MAX_EVENT,
        )
        try:
            await Relay(stream, answer, partial(self.send, answer), pace_of(self.plan)).run()
            await self.reply.end()
            await answer.read_to_end()
        finally:
            self._note_stream(answer, stream)

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
