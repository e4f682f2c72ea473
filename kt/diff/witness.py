"""A request that shows a difference: facts made into something that anybody can send.

In: facts that a condition needs, and a text. Out: headers and a body, and the facts that the
gateway will see of them. Never: a promise that these are the facts that were asked for; whoever
claims something of the request runs both plans on it.
"""

import json
from collections.abc import Iterable, Iterator
from types import MappingProxyType

import attrs

from kt.exchange import Piece, Segment, Surface
from kt.filters.analysis import satisfiable
from kt.filters.facts import FilterFacts
from kt.filters.parser import parse_filter
from kt.filters.syntax import Field, Filter, all_of, fields_of
from kt.filters.vocabulary import REQUEST
from kt.plan import Plan
from kt.policy import Phase
from kt.runtime.conditions import PROVIDER, ClientRequest, FactReader
from kt.runtime.identity import Identity

PATH = "/v1/chat/completions"
MODEL = "any"
ASKED = "hello"
"""What is asked where the answer is what matters."""

MOST_MESSAGES = 1000
MOST_TEXT = 100_000

POSSIBLE = (
    f'request.path == "{PATH}" and request.messages.count >= 1'
    ' and not exists(user.groups) and request.model != ""'
)
"""What is true of every chat: of the facts for which a condition holds, some that can be sent."""
USUAL = f'{POSSIBLE} and request.model == "{MODEL}"'

IDENTITY = MappingProxyType(
    {"user.id": "x-user-id", "user.team": "x-team", "user.role": "x-user-role"}
)
COPIED = ("stream", "temperature", "max_tokens")


@attrs.frozen
class Sent:
    """A request to send: its headers and its body, as JSON."""

    headers: tuple[tuple[str, str], ...]
    body: str
    texts: tuple[str, ...]
    """Every text of it that policies read: the model's name, too."""


def example(condition: Filter) -> FilterFacts | None:
    """Facts for which a condition is true, of a request that can be sent where there is one."""
    for more in (USUAL, POSSIBLE, "true"):
        found = satisfiable(all_of((condition, parse_filter(more, REQUEST)))).example
        if found is not None:
            return found
    return None


def request_with(facts: FilterFacts, phase: Phase, text: str) -> Sent | None:
    """A request with these facts, as far as one can have them; the text is asked or answered."""
    count = facts.values.get("request.messages.count", 1)
    if not isinstance(count, int) or not 1 <= count <= MOST_MESSAGES:
        return None
    said = [text if phase is Phase.INPUT else ASKED, *["."] * (count - 1)]
    model = str(facts.values.get("request.model", MODEL))
    missing = _wanted_length(facts) - sum(len(one.encode()) for one in (model, *said))
    said[-1] += " " * missing
    body: dict[str, object] = {"model": model}
    body["messages"] = [{"role": "user", "content": content} for content in said]
    for name in COPIED:
        if f"request.{name}" in facts.values:
            body[name] = facts.values[f"request.{name}"]
    return Sent(tuple(_headers(facts)), json.dumps(body), (model, *said))


def _wanted_length(facts: FilterFacts) -> int:
    length = facts.values.get("request.text.length", 0)
    return int(length) if isinstance(length, int | float) and length <= MOST_TEXT else 0


def _headers(facts: FilterFacts) -> Iterator[tuple[str, str]]:
    for label, value in sorted(facts.values.items()):
        name = IDENTITY.get(label)
        if label.startswith('header["'):
            name = label.removeprefix('header["').removesuffix('"]')
        if name is not None and isinstance(value, str) and value.isprintable():
            yield name, value


# ---- What the gateway sees of it


@attrs.frozen
class Sight:
    """What the conditions of one plan see."""

    reader: FactReader
    targets: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan) -> "Sight":
        """Find out what a plan asks about."""
        return cls(FactReader.of(plan), tuple(target.id for target in plan.targets))

    def facts(self, sent: Sent, phase: Phase, wanted: FilterFacts) -> FilterFacts:
        """The facts of a request; for an answer the wanted target, if there is such a one."""
        headers = {name.encode(): value.encode() for name, value in sent.headers}
        request = ClientRequest(
            path=PATH,
            headers=headers,
            identity=Identity.of(headers),
            body=json.loads(sent.body),
            segments=tuple(_segments(sent)),
        )
        facts = self.reader.read(request)
        if phase is Phase.INPUT or not self.targets:
            return facts
        asked = wanted.values.get(PROVIDER)
        target = asked if isinstance(asked, str) and asked in self.targets else self.targets[0]
        return self.reader.with_provider(facts, target)


def _segments(sent: Sent) -> Iterator[Segment]:
    for text in filter(None, sent.texts):
        yield Segment(Surface.USER, text, (Piece((), 0, len(text.encode())),))


def asks_for(conditions: Iterable[Filter | None], field: str) -> bool:
    """Whether one of the conditions names a field."""
    named: set[Field] = set()
    for condition in conditions:
        named |= fields_of(condition) if condition is not None else set()
    return any(one.name == field for one in named)
