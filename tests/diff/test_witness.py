"""A witness is a request that can be sent, and what is claimed of it is what the gateway sees."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.diff.witness import ASKED, PATH, Sent, Sight, asks_for, example, request_with
from kt.filters.evaluation import compile_filter
from kt.filters.facts import FilterFacts
from kt.filters.forms import Value
from kt.policy import Phase
from kt.runtime.conditions import NO_FACTS, ClientRequest, FactReader
from kt.runtime.identity import Identity
from kt.wire.chat import CHAT
from kt.wire.json_body import parse_strict
from tests.support.plans import condition, plan, scan_step, target

REALISTIC = (
    'header["x-env"] == "prod" and user.id == "ann" and user.role in ["admin"]',
    'request.model starts_with "gpt-" and not request.stream',
    "request.temperature > 0.5 and request.max_tokens <= 2000",
    "request.messages.count > 2 and request.text.length >= 300",
    'request.path starts_with "/v1" and not request.model in ["a", "any"]',
    "request.temperature == null and not exists(request.max_tokens)",
)
OUTPUT = 'provider.id == "b" and header["x-env"] == "prod"'


@pytest.mark.parametrize("text", REALISTIC)
@pytest.mark.parametrize("phase", [Phase.INPUT, Phase.OUTPUT])
def test_a_condition_has_a_request_for_which_it_is_true(text: str, phase: Phase) -> None:
    asked = condition(text)
    assert asked is not None
    wanted = example(asked)
    assert wanted is not None
    sent = request_with(wanted, phase, "find me")
    assert sent is not None
    sight = Sight.of(plan(scan_step("p", "x", when=text)))
    assert compile_filter(asked)(sight.facts(sent, phase, wanted))
    assert ("find me" in "".join(sent.texts)) is (phase is Phase.INPUT)


def test_an_answer_is_that_of_the_wanted_target_where_there_is_such_a_one() -> None:
    asked = condition(OUTPUT)
    assert asked is not None
    wanted = example(asked)
    assert wanted is not None
    sent = request_with(wanted, Phase.OUTPUT, "x")
    assert sent is not None
    assert json.loads(sent.body)["messages"] == [{"role": "user", "content": ASKED}]
    for targets, is_for in (("ab", True), ("ac", False)):
        made = plan(scan_step("p", "x", when=OUTPUT), targets=tuple(map(target, targets)))
        facts = Sight.of(made).facts(sent, Phase.OUTPUT, wanted)
        assert compile_filter(asked)(facts) is is_for


ASKS_EVERYTHING = (
    "exists(request.path) and exists(request.model) and exists(request.stream) and request.stream"
    " and exists(request.temperature) and exists(request.max_tokens) and exists(user.id)"
    " and request.messages.count > 0 and request.text.length > 0 and exists(user.team)"
    ' and exists(header["x-env"])'
)
ANY_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "request.model": st.text(min_size=1, max_size=5),
        "request.stream": st.sampled_from([True, False, None]),
        "request.temperature": st.floats(0, 2),
        "request.max_tokens": st.integers(0, 9999),
        "request.messages.count": st.integers(0, 9),
        "request.text.length": st.integers(0, 500),
        'header["x-env"]': st.text(max_size=5),
        "user.id": st.text(max_size=5),
        "user.team": st.sampled_from(["red", "b lue"]),
    },
)


@given(ANY_FACTS, st.text(max_size=20).filter(str.isprintable))
def test_what_is_claimed_is_what_the_gateway_sees(values: dict[str, Value], text: str) -> None:
    wanted = FilterFacts(MappingProxyType(values))
    sent = request_with(wanted, Phase.INPUT, text)
    if sent is None:
        assert not values["request.messages.count"]
        return
    made = plan(scan_step("p", "x", when=ASKS_EVERYTHING))
    assert Sight.of(made).facts(sent, Phase.INPUT, wanted) == seen(FactReader.of(made), sent)


def seen(reader: FactReader, sent: Sent) -> FilterFacts:
    """The facts of a request that came over the wire."""
    body = CHAT.check_request(parse_strict(sent.body.encode()))
    headers = {name.encode(): value.encode() for name, value in sent.headers}
    return reader.read(
        ClientRequest(
            path=PATH,
            headers=headers,
            identity=Identity.of(headers),
            body=body,
            segments=CHAT.request_segments(body),
        )
    )


def test_without_conditions_it_is_the_plainest_request() -> None:
    sent = request_with(NO_FACTS, Phase.INPUT, "hi")
    assert sent is not None
    assert sent.headers == ()
    assert json.loads(sent.body) == {
        "model": "any",
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_fields_are_looked_for_in_conditions() -> None:
    conditions = (None, condition(OUTPUT))
    assert asks_for(conditions, "provider.id")
    assert not asks_for(conditions, "user.id")
