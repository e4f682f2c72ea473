"""What conditions are asked of: the request as the client sent it, and only what they name."""

import pytest

from kt.filters.facts import FilterFacts
from kt.filters.vocabulary import HEADER, REQUEST
from kt.policy import Phase
from kt.runtime.conditions import (
    NO_FACTS,
    PROVIDER,
    READERS,
    ClientRequest,
    FactReader,
    condition_of,
)
from kt.runtime.identity import Identity
from kt.wire.chat import CHAT
from kt.wire.json_body import JsonValue
from tests.support.plans import plan, record_step, scan_step

BODY = {
    "model": "gpt-4o",
    "stream": True,
    "temperature": 0.5,
    "max_tokens": 2000,
    "messages": [{"role": "user", "content": "é"}, {"role": "user", "content": "ab"}],
}
HEADERS = {b"x-env": b"prod", b"x-user-id": b"ann", b"x-team": b"red", b"x-user-role": b"admin"}
EVERYTHING = {
    "request.path": "/v1/chat/completions",
    "request.model": "gpt-4o",
    "request.stream": True,
    "request.temperature": 0.5,
    "request.max_tokens": 2000,
    "request.messages.count": 2,
    "request.text.length": len("gpt-4o") + len("éab".encode()),
    "user.id": "ann",
    "user.team": "red",
    "user.role": "admin",
}


def request(body: JsonValue = None, headers: dict[bytes, bytes] | None = None) -> ClientRequest:
    """A request with the usual headers."""
    sent = HEADERS if headers is None else headers
    return ClientRequest(
        path="/v1/chat/completions",
        headers=sent,
        identity=Identity.of(sent),
        body=body,
        segments=() if body is None else CHAT.request_segments(body),
    )


def reader(*conditions: str) -> FactReader:
    """What reads the facts of a plan whose steps have these conditions."""
    return FactReader.of(plan(*(scan_step("p", "x", when=one) for one in conditions)))


def read(condition: str, sent: ClientRequest) -> FilterFacts:
    """The facts that one condition needs."""
    return reader(condition).read(sent)


def test_every_field_is_read_or_there_is_a_reason() -> None:
    later = {PROVIDER, HEADER, "user.groups"}
    assert READERS.keys() | later == set(REQUEST.names)


@pytest.mark.parametrize(("name", "value"), EVERYTHING.items())
def test_a_field_is_read_where_it_is_named_and_nothing_else_is(name: str, value: object) -> None:
    assert read(f"exists({name})", request(BODY)).values == {name: value}


def test_a_header_is_read_by_its_name_in_any_case() -> None:
    facts = read('header["X-Env"] == "prod" or header["x-other"] == "a"', request(BODY))
    assert facts.values == {'header["x-env"]': "prod"}


@pytest.mark.parametrize("sent", ["Zürich".encode(), "Zürich".encode("latin-1")])
def test_a_header_is_text_however_its_sender_wrote_it(sent: bytes) -> None:
    facts = read('exists(header["x-city"])', request(BODY, {b"x-city": sent}))
    assert facts.values == {'header["x-city"]': "Zürich"}


@pytest.mark.parametrize("name", EVERYTHING.keys() - {"request.path"})
def test_of_a_request_that_was_not_read_only_its_head_is_known(name: str) -> None:
    known = {name: value for name, value in EVERYTHING.items() if name.startswith("user.")}
    facts = read(f"exists({name})", request())
    assert facts.values == {key: value for key, value in known.items() if key == name}


@pytest.mark.parametrize(
    ("name", "value"),
    [("model", 7), ("temperature", "hot"), ("max_tokens", 1.5), ("stream", "yes"), ("model", None)],
)
def test_what_a_field_cannot_be_is_absent(name: str, value: object) -> None:
    assert read(f"exists(request.{name})", request({**BODY, name: value})).values == {}


def test_what_is_null_is_there() -> None:
    facts = read("exists(request.temperature)", request({**BODY, "temperature": None}))
    assert facts.values == {"request.temperature": None}


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"max_completion_tokens": 5}, {"request.max_tokens": 5}),
        ({"max_output_tokens": 5}, {"request.max_tokens": 5}),
        ({"max_tokens": 1, "max_completion_tokens": 5}, {"request.max_tokens": 5}),
        ({"max_tokens": None, "max_output_tokens": 5}, {"request.max_tokens": 5}),
        ({"max_tokens": None}, {"request.max_tokens": None}),
        ({"max_tokens": True}, {}),
        ({}, {}),
    ],
)
def test_the_longest_answer_is_known_under_each_of_its_names(
    given: dict[str, object], known: dict[str, object]
) -> None:
    sent: JsonValue = {"model": "m", "messages": [], **given}
    assert read("exists(request.max_tokens)", request(sent)).values == known


def test_messages_that_are_none_have_no_number() -> None:
    assert read("exists(request.messages.count)", request({"messages": "hi"})).values == {}


def test_the_provider_is_known_when_it_is_asked() -> None:
    asking = reader('provider.id == "b" and request.model == "gpt-4o"')
    first = asking.read(request(BODY))
    assert first.values == {"request.model": "gpt-4o"}
    assert asking.with_provider(first, "b").values[PROVIDER] == "b"
    other = reader("request.stream")
    assert other.with_provider(first, "b") is first


def test_where_nothing_is_asked_nothing_is_read() -> None:
    assert FactReader.of(plan(scan_step("p", "x"))).read(request(BODY)) is NO_FACTS
    assert condition_of(scan_step("p", "x")) is None


def test_conditions_of_every_phase_are_read_for() -> None:
    steps = [
        scan_step("a", "x", phase=Phase.INPUT, when="request.stream"),
        scan_step("b", "x", when='request.model == "m"'),
        record_step(when='user.id == "ann"'),
    ]
    assert FactReader.of(plan(*steps)).names == {"request.stream", "request.model", "user.id"}
