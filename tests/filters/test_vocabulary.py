"""The tables of fields, compared with what fills them."""

import re
from pathlib import Path

import trio

from kt.filters.cases import MAX_CASES
from kt.filters.facts import facts_of
from kt.filters.forms import Form, Kind
from kt.filters.parser import MAX_CHARACTERS, MAX_DEEP
from kt.filters.typing_rules import MAX_COMPARISONS, MAX_ITEMS
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


PAGE = Path(__file__).parents[2] / "docs" / "language.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([a-z ]+) \| (.+) \|$", re.MULTILINE)


def test_the_language_page_has_every_field() -> None:
    rows = [(name, meaning) for name, _, meaning in ROW.findall(PAGE.read_text())]
    entries = (*REQUEST.entries, *EVENT.entries)
    assert rows == [(entry.name, entry.meaning) for entry in entries]


def test_the_language_page_has_every_type() -> None:
    types = [type_ for _, type_, _ in ROW.findall(PAGE.read_text())]
    assert types == [shown(entry.form) for entry in (*REQUEST.entries, *EVENT.entries)]


def shown(form: Form) -> str:
    if form.words:
        return "one of its words"
    is_count = form.kind is Kind.NUMBER and form.is_whole
    return ("whole " if is_count else "") + form.kind.value + " or null" * form.is_nullable


def test_the_language_page_has_the_bounds() -> None:
    bounds = (MAX_CHARACTERS, MAX_COMPARISONS, MAX_DEEP, MAX_ITEMS, MAX_CASES)
    text = PAGE.read_text()
    assert [bound for bound in bounds if f" {bound} " not in text] == []
