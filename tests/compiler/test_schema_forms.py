"""Pieces of JSON Schema."""

from typing import Any

import pytest

from kt.compiler.schema_forms import closed_map, has_key, list_of, nullable, word
from tests.support.json_schema import accepts

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("value", "is_fine"),
    [
        ({"a_b": "x"}, True),
        ({"a-b": "x"}, True),
        ({"a_b": 1}, False),
        ({"a-b": 1}, False),
        ({"ab": "x"}, False),
        ({}, True),
        (None, True),
        ([], False),
    ],
)
def test_a_map_has_its_keys_in_both_spellings_and_no_others(value: Any, is_fine: bool) -> None:
    assert accepts(closed_map({"a_b": STRING}), value) is is_fine


@pytest.mark.parametrize("name", ["a", "a_b"])
def test_a_key_that_is_needed_must_be_there(name: str) -> None:
    schema = closed_map({name: STRING}, needs=(name,))
    assert accepts(schema, {name: "x"})
    assert accepts(schema, {name.replace("_", "-"): "x"})
    assert not accepts(schema, {})
    assert not accepts(schema, None)
    assert not accepts(has_key(name), {"zzz": 1})


@pytest.mark.parametrize(
    ("one", "is_fine"),
    [("a", True), ("b-c", True), ("b_c", True), ("bc", False), ("b-cd", False), (None, False)],
)
def test_a_word_has_both_spellings(one: Any, is_fine: bool) -> None:
    assert accepts(word(["a", "b-c"]), one) is is_fine


@pytest.mark.parametrize(
    "schema",
    [STRING, {"type": ["string", "number"]}, word(["a"]), word(["a-b"]), {}, closed_map({})],
    ids=str,
)
def test_null_is_accepted_beside_the_rest(schema: Any) -> None:
    assert accepts(nullable(schema), None)
    others: tuple[Any, ...] = ("a", "zzz", 1, [], {})
    for value in others:
        assert accepts(nullable(schema), value) is accepts(schema, value)


def test_a_list_is_of_its_items() -> None:
    assert accepts(list_of(STRING), ["a"])
    assert not accepts(list_of(STRING), ["a", 1])
    assert not accepts(list_of(STRING), "a")
