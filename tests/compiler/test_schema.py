"""The JSON Schema for editors: the fixtures, the tables that it is made from, its own form."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kt.compiler.schema import DIALECT, schema_text
from kt.compiler.shapes import SYNONYMS, TARGET_SYNONYMS
from kt.policies import KINDS
from tests.support.cases import FIXTURES, case_paths, load
from tests.support.json_schema import accepts, data_of, resolve
from tests.support.schema_agreement import SHAPE_CODES, shape_errors

SCHEMA = json.loads(schema_text())
EMPTY: tuple[Any, ...] = (None, [])


def nodes(value: Any) -> Iterator[Any]:
    """A JSON value and everything in it."""
    yield value
    children = value.values() if isinstance(value, dict) else value
    for child in children if isinstance(value, dict | list) else ():
        yield from nodes(child)


@pytest.mark.parametrize("path", case_paths(), ids=lambda path: str(path.relative_to(FIXTURES)))
def test_a_fixture_is_accepted_unless_its_shape_is_wrong(path: Path) -> None:
    text = load(path).text
    data = data_of(text)
    wrong, promised = shape_errors(text)
    assert wrong == promised, "no fixture needs the compiler to know that its shape is wrong"
    if data is not None:
        assert accepts(SCHEMA, data) is not bool(wrong)


def test_most_fixtures_take_part_on_both_sides() -> None:
    texts = [load(path).text for path in case_paths()]
    wrong = [bool(shape_errors(text)[0]) for text in texts if data_of(text) is not None]
    assert wrong.count(True) >= 10
    assert wrong.count(False) >= 40


def test_every_shape_code_is_shown_by_a_refused_fixture() -> None:
    shown = set().union(*(shape_errors(load(path).text)[1] for path in case_paths("errors")))
    assert shown == SHAPE_CODES


def test_every_kind_can_be_chained_and_configured() -> None:
    for kind in KINDS.values():
        for name in (kind.KIND, kind.KIND.replace("-", "_")):
            assert accepts(SCHEMA, {"policies": {"chain": [name]}, "policy": {name: None}})
            accepts_any = getattr(kind, "ACCEPTS_ANY_KEY", False)
            assert accepts(SCHEMA, {"policy": {name: {"zzz": 1}}}) is accepts_any


def below(sections: list[str], key: str, value: Any) -> Any:
    """A configuration that holds one key."""
    data = {key: value}
    for section in reversed(sections):
        data = {section: data}
    return data


@pytest.mark.parametrize("place", [accepted for accepted, _ in SYNONYMS])
def test_a_synonym_is_accepted_where_it_stands(place: str) -> None:
    *sections, last = place.split(".")
    for name in (last, last.replace("_", "-")):
        assert any(accepts(SCHEMA, below(sections, name, empty)) for empty in EMPTY)
    assert not any(accepts(SCHEMA, below(sections, "zzz", empty)) for empty in EMPTY)


@pytest.mark.parametrize("name", [accepted for accepted, _ in TARGET_SYNONYMS])
def test_a_synonym_of_targets_is_accepted_in_both_readings(name: str) -> None:
    for target in ({"id": "a", name: None}, {"provider": {"id": "a", name: None}}):
        assert accepts(SCHEMA, {"providers": {"targets": [target]}})
        assert accepts(SCHEMA, {"providers": [target]})


def test_it_says_its_dialect_and_names_only_what_it_defines() -> None:
    assert SCHEMA["$schema"] == DIALECT
    used = {node["$ref"] for node in nodes(SCHEMA) if isinstance(node, dict) and "$ref" in node}
    for reference in used:
        assert resolve(reference, SCHEMA)
    assert {reference.rpartition("/")[2] for reference in used} == SCHEMA["definitions"].keys()


def test_every_pattern_is_one_of_ecmascript_too() -> None:
    patterns = [
        node["pattern"]
        for node in nodes(SCHEMA)
        if isinstance(node, dict) and isinstance(node.get("pattern"), str)
    ]
    assert patterns
    for pattern in patterns:
        assert re.compile(pattern).pattern == pattern
        assert not re.search(r"\(\?[^!:]|\\[AZz]", pattern)


def test_the_same_kinds_give_the_same_text() -> None:
    assert schema_text() == schema_text()
    assert schema_text({"rbac": KINDS["rbac"]}) != schema_text()


def test_a_description_says_what_nothing_acts_on() -> None:
    cache = SCHEMA["definitions"]["compiler.gateway_sections.Cache"]
    assert cache["properties"]["enabled"]["description"] == "not enforced yet"
