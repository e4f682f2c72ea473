"""Plan files: what is written is read, and what is no plan of this kt is refused with a reason."""

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler import compile_source
from kt.errors import UsageError
from kt.plan import Plan, canonical_json
from kt.planfile import document as room
from kt.planfile import read_plan, write_plan
from kt.planfile.document import MAX_LEVELS
from kt.planfile.structure import structure
from kt.source import Source
from tests.support.cases import Case, case_paths, compile_case, load
from tests.support.config_strategies import WHOLE

WHOLE_PLAN = compile_source(Source("kt.yaml", WHOLE)).plan
Json = Any  # Any: JSON is any shape


def refused(data: bytes) -> str:
    """What is said against a file."""
    with pytest.raises(UsageError) as raised:
        read_plan(data, "plan.json")
    assert raised.value.message.startswith("plan.json ")
    assert raised.value.hint
    return raised.value.message


def changed(change: Callable[[Json], None], *, seal: bool = True) -> bytes:
    """The document of a plan after a change; `seal` gives it the digest that it then needs."""
    document = json.loads(write_plan(WHOLE_PLAN))
    change(document["plan"])
    if seal:
        document["digest"] = sealed(document["plan"])
    return json.dumps(document).encode()


def sealed(plan: Json) -> str:
    """The digest of a changed plan, where it is one."""
    found = structure(plan, Plan)
    return found.digest


@pytest.mark.parametrize("path", case_paths(), ids=lambda path: path.stem)
def test_every_plan_is_read_as_it_was_written(path: Any) -> None:
    case: Case = load(path)
    compiled, _ = compile_case(case)
    if compiled is None:
        return
    written = write_plan(compiled.plan)
    read = read_plan(written + b"\n", "plan.json")
    assert read == compiled.plan
    assert read.digest == compiled.plan.digest
    assert write_plan(read) == written  # descriptive fields included


def test_the_document_holds_the_plan_and_its_digest() -> None:
    document = json.loads(write_plan(WHOLE_PLAN))
    assert document["format"] == 1
    assert document["digest"] == WHOLE_PLAN.digest
    assert document["plan"]["name"] == WHOLE_PLAN.name
    assert list(document) == sorted(document)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"policies: {}", "not JSON"),
        (b'{"format": NaN}', "not JSON"),
        (b'{"format": 1, "format": 1}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[" * (MAX_LEVELS + 1) + b"]" * (MAX_LEVELS + 1), "nested too deep"),
        (b"1" * 5000, "not JSON"),
        (b"[]", "has no format"),
        (b"{}", "has no format"),
        (b'{"format": true}', "has no format"),
        (b'{"format": 1.0}', "has no format"),
        (b'{"format": 2, "new": {}}', "has the format 2; this kt reads 1"),
        (b'{"format": 1}', "the field 'digest' is missing"),
        (b'{"format": 1, "digest": "", "plan": {}, "a": 1}', "unknown field 'a'"),
        (b'{"format": 1, "digest": "", "plan": []}', "plan: not an object"),
    ],
)
def test_what_is_no_plan_is_refused(data: bytes, said: str) -> None:
    assert said in refused(data)


def test_a_large_file_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 10)
    assert "larger than a plan can be" in refused(b"1" * 11)


def test_a_changed_plan_is_refused() -> None:
    def more_time(plan: Json) -> None:
        plan["timeouts"]["request"]["seconds"] += 1

    assert "its digest is not that of its plan" in refused(changed(more_time, seal=False))


def test_a_changed_explanation_is_no_change_of_the_plan() -> None:
    def other_origin(plan: Json) -> None:
        plan["timeouts"]["request"]["origin"] = "elsewhere"

    assert read_plan(changed(other_origin, seal=False), "plan.json") == WHOLE_PLAN


@pytest.mark.parametrize(
    ("field", "other", "said"),
    [
        ("engines", (("google-re2", "0"),), "the engine google-re2 is "),
        ("engines", (*WHOLE_PLAN.engines, ("more", "1")), "unknown engine"),
        ("engines", WHOLE_PLAN.engines[1:], "it was made without it"),
        ("rule_lists", (("injection", "0" * 64), *WHOLE_PLAN.rule_lists[1:]), "rule list injectio"),
        ("rule_lists", (*WHOLE_PLAN.rule_lists, ("a", "b")), "unknown rule list"),
        ("rule_lists", (), "it was made without it"),
    ],
)
def test_a_plan_of_another_kt_is_refused(field: str, other: Any, said: str) -> None:
    made = attrs.evolve(WHOLE_PLAN, **{field: other})
    assert made.digest != WHOLE_PLAN.digest
    message = refused(write_plan(made))
    assert "made by another kt" in message
    assert said in message


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    refused(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.data())
def test_no_change_of_one_value_raises_anything_else_or_is_coerced(data: st.DataObject) -> None:
    """What is read gives the same JSON again, or is refused."""
    document = json.loads(write_plan(WHOLE_PLAN))
    at: Json = document
    while True:
        keys = sorted(at) if isinstance(at, dict) else range(len(at))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(JSON)
    written = json.dumps(document).encode()
    try:
        plan = read_plan(written, "plan.json")
    except UsageError:
        return
    assert canonical_json(plan) == canonical_json(structure(document["plan"], Plan))
    assert json.loads(write_plan(plan)) == document
