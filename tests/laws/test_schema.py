"""Laws of the JSON Schema: it accepts what has no wrong shape, and refuses what has one.

A configuration is made from the types that `structure` reads, then damaged; the schema and
`structure` must agree on it. Numbers like 1.0 are left out: for JSON Schema they are whole.
"""

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_origin

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler.fields import Duration, Number, Size, Text
from kt.compiler.kind_names import SINGLE, TYPES
from kt.compiler.model import (
    AnyEntry,
    Block,
    Config,
    EntryOptions,
    FailFlags,
    Level,
    Pack,
    Policies,
    Providers,
    Target,
    When,
    WrittenPolicies,
)
from kt.compiler.provider_sections import Share
from kt.compiler.schema import schema_text
from kt.compiler.schema_types import LEAF_SCHEMAS
from kt.compiler.sections import Names
from kt.policies import KINDS, AnyValue
from kt.units import parse_duration, parse_size
from tests.support.config_strategies import durations, sizes, to_flow
from tests.support.json_schema import accepts
from tests.support.schema_agreement import shape_errors

# Any: types as values, and JSON.

SCHEMA = json.loads(schema_text())

JUNK: tuple[Any, ...] = (
    *(None, True, 0, 7, -1, 1.5, 10**9, "", "zzz", "${X}", "5s", "4kb", "block", "label"),
    *([], {}, ["zzz"], [None], [7], [{}], {"zzz": 1}, {"id": "a"}, {"pii-detector": {"zzz": 1}}),
)
NAMES = st.sampled_from(["a", "b-c", "d_e"])


def words(member: Any) -> st.SearchStrategy[Any]:
    """The word of an enum's member in both spellings."""
    word = str(member.value)
    return st.sampled_from([word, word.replace("_", "-"), word.replace("-", "_")])


def scalar(due: Any, limits: tuple[float, float] | None) -> st.SearchStrategy[Any]:
    """A valid scalar, None for a type that is none."""
    least, most = limits or (0, 10)
    tables = {
        bool: st.booleans(),
        int: st.integers(1, 99),
        float: st.sampled_from([0, 0.5, 1]),
        str: NAMES,
        Text: NAMES,
        Number: st.integers(int(least), int(min(most, 100))),
        Duration: st.one_of(durations(), st.integers(1, 90)),
        Size: st.one_of(sizes(), st.integers(1, 90)),
    }
    return tables[due]


@cache
def values(due: Any, limits: tuple[float, float] | None = None) -> st.SearchStrategy[Any]:
    """Valid data of a type."""
    parts = get_args(due)
    if due in MADE_BY_HAND:
        return MADE_BY_HAND[due]()
    if isinstance(due, type) and issubclass(due, Enum):
        return st.sampled_from(list(due)).flatmap(words)
    if due in LEAF_SCHEMAS:
        return scalar(due, limits)
    if type(None) in parts:
        return st.one_of(
            st.none(), *(values(one, limits) for one in parts if one is not type(None))
        )
    if get_origin(due) is tuple and get_origin(parts[0]) is tuple:
        return st.dictionaries(NAMES, values(get_args(parts[0])[1]), max_size=2)
    if get_origin(due) is tuple:
        return st.lists(values(parts[0]), max_size=2)
    return record(due)


@cache
def record(due: Any) -> st.SearchStrategy[Any]:
    """A section with its required keys and some of the others."""
    fields = [one for one in attrs.fields(due) if one.name != "span"]
    made = {
        one.name: values(one.type, one.metadata.get("range"))
        for one in fields
        if not one.metadata.get("refused")
    }
    needed = {one.name for one in fields if one.default is attrs.NOTHING}
    return st.fixed_dictionaries(
        {name: one for name, one in made.items() if name in needed},
        optional={name: one for name, one in made.items() if name not in needed},
    )


def kinds(kind: Any) -> st.SearchStrategy[Any]:
    """The settings of a kind, its flags among them."""
    return st.builds(lambda own, flags: {**own, **flags}, record(kind), record(FailFlags))


def entries() -> st.SearchStrategy[Any]:
    """Entries of a chain: a kind, or a map with one kind as key."""
    names = st.sampled_from(list(KINDS))
    below = st.one_of(st.none(), record(EntryOptions))
    return st.one_of(names, st.builds(lambda name, one: {name: one}, names, below))


def items() -> st.SearchStrategy[Any]:
    """Items of a list, rule groups among them."""
    types_ = st.sampled_from([*KINDS, *TYPES])
    patterns = st.one_of(NAMES, st.lists(st.sampled_from(["email", "ab+", "d-e"]), max_size=2))
    extra = st.fixed_dictionaries(
        {},
        optional={
            "type": types_,
            "name": types_,
            "patterns": patterns,
            "pattern": NAMES,
            "threshold": st.sampled_from(["medium", 0.5]),
            "config": record(FailFlags),
        },
    )
    listed = st.builds(lambda one, other: {**one, **other}, record(EntryOptions), extra)
    rules = st.lists(st.one_of(listed, entries()), max_size=2)
    group = st.builds(lambda one, other: {**one, "rules": other}, listed, rules)
    return st.one_of(listed, group, entries())


def names() -> st.SearchStrategy[Any]:
    """One word or several."""
    return st.one_of(NAMES, st.lists(NAMES, max_size=2))


def whens() -> st.SearchStrategy[Any]:
    """Conditions on a request, in both forms."""
    compared = {
        "path": NAMES,
        "header": st.dictionaries(NAMES, names(), max_size=2),
        "model": names(),
        "max_tokens_gt": st.sampled_from([0, 7]),
        "text.length-lte": sizes(),
        "request.stream": st.sampled_from([True, None]),
        "wallet_balance": NAMES,
    }
    texts = st.sampled_from(["request.stream", 'request.model in ["a"]', "not exists(user.id)"])
    return st.one_of(st.fixed_dictionaries({}, optional=compared), texts)


MADE_BY_HAND: Mapping[Any, Callable[[], st.SearchStrategy[Any]]] = MappingProxyType(
    {
        tuple[Block, ...]: lambda: st.fixed_dictionaries(
            {}, optional={kind.KIND: kinds(kind) for kind in [*KINDS.values()][:8]}
        ),
        AnyEntry: entries,
        AnyValue: lambda: st.sampled_from(JUNK),
        Policies: lambda: st.one_of(record(WrittenPolicies), st.lists(items(), max_size=3)),
        Providers: lambda: st.one_of(record(Providers), st.lists(record(Target), max_size=2)),
        Share: lambda: st.one_of(NAMES, record(Share)),
        Names: names,
        Level: lambda: st.sampled_from(["medium", 0.5, 1]),
        When: whens,
    }
)
"""What is read with a hook of its own."""


def singles() -> st.SearchStrategy[Any]:
    """Documents of one policy."""
    alone: list[Any] = [kind for kind in KINDS.values() if kind.KIND in SINGLE]
    return st.sampled_from(alone).flatmap(
        lambda kind: st.builds(
            lambda own, head: {**own, "policy": {**head, "name": kind.KIND}},
            kinds(kind),
            record(Pack),
        )
    )


@st.composite
def damaged(draw: st.DrawFn, data: Any) -> Any:
    """The data with one value replaced, or one key renamed, respelled or taken away."""
    if isinstance(data, list) and data and draw(st.booleans()):
        index = draw(st.integers(0, len(data) - 1))
        return [*data[:index], draw(damaged(data[index])), *data[index + 1 :]]
    if isinstance(data, dict) and data and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(data)))
        rest = {name: one for name, one in data.items() if name != key}
        how = draw(st.sampled_from(["inside"] * 6 + ["zzz", "drop", "_", "-"]))
        if how == "inside":
            return {**data, key: draw(damaged(data[key]))}
        if how == "drop":
            return rest
        other = how if how == "zzz" else re.sub("[-_]", how, key)
        return {**rest, other: data[key]}
    return draw(st.sampled_from(JUNK))


SECTIONS: Mapping[str, Any] = MappingProxyType({one.name: one.type for one in attrs.fields(Config)})
FIRST = tuple(SECTIONS)[:6]
SIDES = ("input_policies", "output-policies")


@st.composite
def configs(draw: st.DrawFn) -> Any:
    """Configurations of every shape, a few sections each, whole ones and damaged ones."""
    if draw(st.integers(0, 4)) == 0:
        data = draw(singles())
    else:
        made = {name: values(due) for name, due in SECTIONS.items()}
        made |= dict.fromkeys(SIDES, st.lists(items(), max_size=2))
        names = draw(st.lists(st.sampled_from([*FIRST, *made]), max_size=3, unique=True))
        data = {name: draw(made[name]) for name in names}
    for _ in range(draw(st.integers(0, 2))):
        data = draw(damaged(data))
    return data


def check_agreement(schema: Any, data: Any) -> None:
    """Demand that a schema accepts what has no wrong shape, and refuses what it promises to."""
    wrong, promised = shape_errors(to_flow(data))
    if not wrong:
        assert accepts(schema, data)
    if promised:
        assert not accepts(schema, data)


@given(configs().filter(lambda data: data and isinstance(data, dict)))
def test_the_schema_accepts_what_has_no_wrong_shape_and_refuses_what_has_one(data: Any) -> None:
    check_agreement(SCHEMA, data)


def opened(name: str) -> Callable[[Any], Any]:
    """A schema in which one section accepts any key."""
    return lambda schema: edited(schema, name, additionalProperties=True)


def edited(schema: Any, name: str, **changes: Any) -> Any:
    """A schema with one definition changed."""
    definitions = schema["definitions"]
    changed = {**definitions[name], **changes}
    return {**schema, "definitions": {**definitions, name: changed}}


PLANTED: tuple[tuple[str, Callable[[Any], Any], Any], ...] = (
    ("any key", opened("compiler.model.Providers"), {"providers": {"zzz": 1}}),
    ("any key of a kind", opened("policies.rbac.Rbac"), {"policy": {"rbac": {"zzz": 1}}}),
    (
        "one spelling",
        lambda schema: edited(schema, "blocks", patternProperties={}),
        {"policy": {"pii_detector": None}},
    ),
    (
        "a key too many that is needed",
        lambda schema: edited(schema, "compiler.model.Pack", required=["author"]),
        {"pack": {"name": "a", "version": "1", "enabled": True}},
    ),
    (
        "no null",
        lambda schema: edited(schema, "compiler.model.WrittenPolicies", type="object"),
        {"policies": None},
    ),
    (
        "no kind",
        lambda schema: edited(schema, "kind", anyOf=[{}]),
        {"policies": {"chain": ["zzz"]}},
    ),
)


@pytest.mark.parametrize(
    ("planted", "data"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_the_law_of_agreement_finds_a_wrong_schema(
    planted: Callable[[Any], Any], data: Any
) -> None:
    check_agreement(SCHEMA, data)
    with pytest.raises(AssertionError):
        check_agreement(planted(SCHEMA), data)


def spellings() -> st.SearchStrategy[str]:
    """Texts that are nearly durations or sizes."""
    amount = st.from_regex(r"[0-9]{0,3}(\.[0-9]{0,2})?", fullmatch=True)
    unit = st.text("mshdkbgiMSKBGI", max_size=4)
    return st.builds("{}{}{}{}".format, st.sampled_from(["", " "]), amount, unit, st.just(" "))


def is_read(parse: Callable[[str], float], text: str) -> bool:
    """Whether a text is read; a part of a byte has the right shape."""
    try:
        parse(text)
    except ValueError as problem:
        return str(problem) == "not a whole number of bytes"
    return True


def check_units(schemas: Any, text: str) -> None:
    """Demand that a schema accepts a duration or a size exactly if it is read."""
    assert accepts(schemas[Duration], text) is is_read(parse_duration, text)
    assert accepts(schemas[Size], text) is is_read(parse_size, text)


@given(st.one_of(spellings(), durations(), sizes(), st.text(max_size=5)))
def test_durations_and_sizes_are_accepted_exactly_if_they_are_read(text: str) -> None:
    check_units(LEAF_SCHEMAS, text)


@pytest.mark.parametrize(("leaf", "text"), [(Duration, "5S"), (Size, "4KB")])
def test_the_law_of_units_finds_a_wrong_pattern(leaf: Any, text: str) -> None:
    check_units(LEAF_SCHEMAS, text)
    any_case = {Duration: "^[0-9]+[sS]$", Size: "^[0-9]+kb$"}
    planted = {**LEAF_SCHEMAS, leaf: {"type": "string", "pattern": any_case[leaf]}}
    with pytest.raises(AssertionError):
        check_units(planted, text)
