"""The tables of fields, compared with what fills them."""

import trio

from kt.filters.facts import facts_of
from kt.filters.vocabulary import EVENT, HEADER, REQUEST
from kt.runtime.identity import Identity
from kt.runtime.ledger import Ledger


def event() -> dict[str, object]:
    async def made() -> dict[str, object]:
        identity = Identity(request_id="req_1", traceparent="00")
        return Ledger(identity=identity, digest="d", config_version="1").event("gateway")

    return trio.run(made)


def test_every_key_of_an_event_is_a_field() -> None:
    assert EVENT.names == tuple(event())


def test_every_value_of_an_event_has_the_form_of_its_field() -> None:
    values = {**event(), "policies": frozenset[str]()}
    assert facts_of(EVENT, values.items()).values == values


def test_a_field_is_found_by_its_name() -> None:
    entry = REQUEST.find(HEADER)
    assert entry is not None
    assert entry.has_key
    assert REQUEST.find("latency_ms") is None


def test_names_are_unique_and_explained() -> None:
    for vocabulary in (REQUEST, EVENT):
        assert len(set(vocabulary.names)) == len(vocabulary.names)
        assert all(entry.meaning for entry in vocabulary.entries)
