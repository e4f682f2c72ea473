"""Which steps are for a request: every `when` of a plan, asked of it as the client sent it.

In: a plan, a request. Out: facts with the fields that some `when` names, and each step's question.
Never: sees redacted text or the model that a target puts in place; reads what no `when` names.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from kt.exchange import Segment
from kt.filters.evaluation import Predicate, compile_filter
from kt.filters.facts import FilterFacts, facts_of
from kt.filters.syntax import fields_of
from kt.filters.vocabulary import REQUEST
from kt.plan import Plan, Step
from kt.policy import Phase
from kt.runtime.identity import Headers, Identity
from kt.wire.json_body import JsonValue

PROVIDER = "provider.id"

NO_FACTS = FilterFacts(MappingProxyType({}))
"""What is known where nobody asks."""


@attrs.frozen(kw_only=True)
class ClientRequest:
    """A request as the client sent it, as far as it could be read."""

    path: str
    headers: Headers
    identity: Identity
    body: JsonValue = None
    segments: tuple[Segment, ...] = ()


_NOT_THERE = object()
"""Stands for a member that the body has not; no field can have it as its value."""


def _member(name: str) -> Callable[[ClientRequest], object]:
    def read(request: ClientRequest) -> object:
        body = request.body
        return body.get(name, _NOT_THERE) if isinstance(body, dict) else _NOT_THERE

    return read


ANSWER_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""The names under which a body limits the length of its answer; which one differs by format."""


def _max_tokens(request: ClientRequest) -> object:
    given = [_member(name)(request) for name in ANSWER_LIMITS]
    there = [value for value in given if value is not _NOT_THERE]
    # Of two the larger: nobody passes below a condition by giving a second one.
    numbers = [one for one in there if isinstance(one, int | float) and not isinstance(one, bool)]
    return max(numbers, default=there[0] if there else _NOT_THERE)


def _message_count(request: ClientRequest) -> object:
    messages = _member("messages")(request)
    return len(messages) if isinstance(messages, list) else _NOT_THERE


def _text_length(request: ClientRequest) -> object:
    if request.body is None:
        return _NOT_THERE
    return sum(segment.pieces[-1].end for segment in request.segments)


READERS: Mapping[str, Callable[[ClientRequest], object]] = MappingProxyType(
    {
        "request.path": lambda request: request.path,
        "request.model": _member("model"),
        "request.stream": _member("stream"),
        "request.temperature": _member("temperature"),
        "request.max_tokens": _max_tokens,
        "request.messages.count": _message_count,
        "request.text.length": _text_length,
        "user.id": lambda request: request.identity.user,
        "user.team": lambda request: request.identity.team,
        "user.role": lambda request: request.identity.role,
    }
)
"""How each field is read. A header needs its name, the provider is known later, and of groups
nobody tells yet."""


@attrs.frozen
class FactReader:
    """Reads what the conditions of one plan name, and nothing else."""

    names: frozenset[str]
    """Fields without a key."""
    headers: frozenset[str]
    """Names of headers, in lower case."""

    @classmethod
    def of(cls, plan: Plan) -> "FactReader":
        """Find out what the steps and routes of a plan ask about."""
        steps = (step for phase in Phase for step in plan.steps(phase))
        asked = [*(step.when for step in steps), *(route.when for route in plan.routing.routes)]
        fields = {field for when in asked if when is not None for field in fields_of(when)}
        return cls(
            frozenset(field.name for field in fields if field.key is None),
            frozenset(field.key for field in fields if field.key is not None),
        )

    @property
    def is_needed(self) -> bool:
        """Whether any step asks anything."""
        return bool(self.names or self.headers)

    def read(self, request: ClientRequest) -> FilterFacts:
        """The facts of a request; what is not there, or not as its field can be, is absent."""
        if not self.is_needed:
            return NO_FACTS
        values = [(name, READERS[name](request)) for name in self.names if name in READERS]
        headers = [
            (name, _decoded(value))
            for name in self.headers
            if (value := request.headers.get(name.encode())) is not None
        ]
        return facts_of(REQUEST, values, headers)

    def with_provider(self, facts: FilterFacts, target: str) -> FilterFacts:
        """The same facts once it is known which target is asked."""
        if PROVIDER not in self.names:
            return facts
        return FilterFacts(MappingProxyType({**facts.values, PROVIDER: target}))


def _decoded(value: bytes) -> str:
    """A header as its sender most likely meant it: every sequence of bytes is some text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def condition_of(step: Step) -> Predicate | None:
    """The question whether a step is for a request; None where it is for all."""
    return None if step.when is None else compile_filter(step.when)
