"""Every setting of every kind: its type is read, any other is an error at its place."""

import json
from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Any, ClassVar, cast, get_args, get_origin

import attrs
import pytest

from kt.compiler import compile_source
from kt.errors import ConfigError
from kt.plan import NotEnforced
from kt.policies import KINDS, AnyValue, PolicyKind
from kt.policy import Facts, Phase
from kt.source import Source

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.KIND)

Data = Any  # JSON
Path = tuple[str | int, ...]

WORDS = {
    ("pii-detector", "entities"): "EMAIL",
    ("pii-detector", "fields"): "EMAIL",
    ("external-moderation", "endpoint"): "https://moderation.example.com",
}
"""What stands where not every word is right."""


def has_names(due: Any) -> bool:
    """Whether a type is a map with keys of the user's."""
    pair = get_args(due)[0] if get_origin(due) is tuple else None
    return get_origin(pair) is tuple and len(get_args(pair)) == 2


def right(due: Any, word: str = "abc") -> Data:
    """A value of a type, with everything in it given."""
    if get_origin(due) is UnionType:
        (due,) = (one for one in get_args(due) if one is not NoneType)
    if has_names(due):
        return {"some_name": right(get_args(get_args(due)[0])[1], word)}
    if get_origin(due) is tuple:
        return [right(get_args(due)[0], word)]
    if due is AnyValue:
        return {"anything": [1]}
    if attrs.has(due):
        return {field.name: right(field.type, word) for field in fields(due)}
    if issubclass(due, Enum):
        return next(iter(due)).value
    return {bool: True, int: 1, float: 0.5, str: word}[due]


def fields(model: type[Any]) -> tuple[Any, ...]:
    return tuple(attrs.fields(attrs.resolve_types(model)))


def full(kind: type[PolicyKind]) -> dict[str, Data]:
    """A block in which every setting is given."""
    return {
        field.name: right(field.type, WORDS.get((kind.KIND, field.name), "abc"))
        for field in fields(cast("type[Any]", kind))
    }


def leaves(data: Data, due: Any, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Every place in a full block with a value that cannot stand there."""
    if get_origin(due) is UnionType:
        (due,) = (one for one in get_args(due) if one is not NoneType)
    if due is AnyValue:
        return
    yield path, 7 if isinstance(data, str | bool | list | dict) else "seven"
    if has_names(due):
        for name, value in data.items():
            yield from leaves(value, get_args(get_args(due)[0])[1], (*path, name))
    elif get_origin(due) is tuple:
        yield from leaves(data[0], get_args(due)[0], (*path, 0))
    elif attrs.has(due):
        for field in fields(due):
            yield from leaves(data[field.name], field.type, (*path, field.name))


def changed(data: Data, path: Path, value: Data) -> Data:
    """The data with another value at a path."""
    if not path:
        return value
    if isinstance(data, list):
        return [changed(data[0], path[1:], value)]
    return {**data, path[0]: changed(data[path[0]], path[1:], value)}


def errors(kind: type[PolicyKind], block: Data) -> list[str]:
    """The errors of a block, each with the text that it points at; without `conflict`s."""
    text = json.dumps({"policies": {"chain": [kind.KIND]}, "policy": {kind.KIND: block}})
    try:
        compile_source(Source("kt.yaml", text), kinds={**KINDS, kind.KIND: kind})
    except ConfigError as error:
        found = error.report.errors
        return [f"{one.name} {text[one.span.start : one.span.end]}" for one in found]
    return []


@kinds
def test_a_block_with_every_setting_compiles(kind: type[PolicyKind]) -> None:
    assert errors(kind, full(kind)) == []


@kinds
def test_every_setting_of_another_type_is_an_error_at_its_place(kind: type[PolicyKind]) -> None:
    block = full(kind)
    for field in fields(cast("type[Any]", kind)):
        for path, wrong in leaves(block[field.name], field.type, (field.name,)):
            assert errors(kind, changed(block, path, wrong)) == [f"wrong_type {json.dumps(wrong)}"]


@kinds
def test_an_unknown_key_is_an_error_unless_nobody_knows_the_keys(kind: type[PolicyKind]) -> None:
    expected = [] if getattr(kind, "ACCEPTS_ANY_KEY", False) else ['unknown_key "no_such_key"']
    assert errors(kind, {"no_such_key": 1}) == expected


@kinds
def test_no_block_and_an_empty_block_mean_the_same(kind: type[PolicyKind]) -> None:
    chain = f"policies: {{chain: [{kind.KIND}]}}\n"
    plans = [
        compile_source(Source("kt.yaml", chain + block)).plan
        for block in ("", f"policy: {{{kind.KIND}: {{}}}}", f"policy: {{{kind.KIND}: }}")
    ]
    assert len({plan.digest for plan in plans}) == 1


@attrs.frozen(kw_only=True)
class Lenient:
    """A planted kind whose number is read as whatever is there."""

    KIND: ClassVar[str] = "lenient"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)
    number: AnyValue | None = None

    def facts(self, phase: Phase) -> Facts:
        """State nothing."""
        return Facts(surfaces=frozenset())

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to nothing."""
        return NotEnforced(reason="planted")

    def problems(self) -> tuple[()]:
        """Report nothing."""
        return ()


def test_a_setting_that_takes_anything_would_be_found() -> None:
    assert errors(Lenient, {"number": "seven"}) == []  # where the law demands an error
