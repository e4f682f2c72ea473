"""What a value of each type of the model looks like, as JSON Schema, and which keys it has.

In: types, as `structure` reads them. Out: schemas that name sections by reference. Never: a list of
keys: they are the fields.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs

from kt.compiler import model
from kt.compiler import provider_sections as provided
from kt.compiler.fields import Duration, Number, Size, Text
from kt.compiler.schema_conditions import condition_schema
from kt.compiler.schema_forms import (
    NULL,
    VARIABLE,
    Schema,
    closed_map,
    list_of,
    nullable,
    reference,
    word,
)
from kt.compiler.sections import Names
from kt.compiler.variables import REFERENCE
from kt.errors import HouseBug
from kt.policies import AnyValue
from kt.units import DURATIONS, SIZES

# Any stands in this room where a type is a value: classes and generic aliases.

_AMOUNT = r"[0-9]{1,15}(\.[0-9]{1,9})? ?"


def _any_case(letters: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in letters)


_DURATION = rf"^\s*{_AMOUNT}({'|'.join(DURATIONS)})\s*$|{VARIABLE}"
_SIZE = rf"^\s*{_AMOUNT}({'|'.join(map(_any_case, SIZES))})\s*$|{VARIABLE}"

LEAF_SCHEMAS: Mapping[Any, Mapping[str, Any]] = MappingProxyType(
    {
        bool: {"type": ["boolean", "string"], "pattern": VARIABLE},
        int: {"type": ["integer", "string"], "pattern": VARIABLE},
        float: {"type": ["number", "string"], "pattern": VARIABLE},
        str: {"type": "string"},
        Text: {"type": "string"},
        Number: {"type": ["integer", "string"], "pattern": VARIABLE},
        Duration: {"type": ["string", "number"], "pattern": _DURATION},
        Size: {"type": ["string", "integer"], "pattern": _SIZE},
    }
)
"""Type -> what a scalar of it looks like; the same types as in `LEAVES`, where they are read."""

REFERENCE_ONLY: Mapping[str, Any] = MappingProxyType(
    {"type": ["string", "null"], "pattern": REFERENCE, "description": "${NAME}, never the value"}
)
"""A secret: the name of a variable, which stays a name."""

_WORDS: Mapping[str, Any] = MappingProxyType(
    {"type": ["string", "array"], "items": {"type": "string"}}
)
COMPOUND_SCHEMAS: Mapping[Any, Mapping[str, Any]] = MappingProxyType(
    {
        Names: _WORDS,
        model.Level: {"type": ["string", "number"]},
        model.When: condition_schema(),
    }
)
"""The same for the types in `COMPOUNDS`."""

SPECIAL: Mapping[Any, tuple[tuple[Any, ...], str]] = MappingProxyType(
    {
        tuple[model.Block, ...]: ((), "blocks"),
        model.Policies: ((model.WrittenPolicies,), "policies"),
        model.AnyEntry: ((), "entry"),
        model.Providers: ((model.Providers,), "providers"),
        provided.Share: ((provided.Share,), "share"),
    }
)
"""What is read with a hook of its own: the sections in it, and the name of its definition."""


def settings(due: Any) -> tuple[Any, ...]:
    """The fields of a section that are keys."""
    return tuple(field for field in attrs.fields(due) if field.name != "span")


def name_of(due: Any) -> str:
    """The name of a section's definition."""
    return f"{due.__module__.removeprefix('kt.')}.{due.__name__}"


def sections_in(due: Any) -> Iterator[Any]:
    """A section and every section in it."""
    yield due
    for field in settings(due):
        for section in _own_sections(field.type):
            yield from sections_in(section)


def _own_sections(due: Any) -> Iterator[Any]:
    if due in SPECIAL:
        yield from SPECIAL[due][0]
    elif is_section(due):
        yield due
    else:
        for part in get_args(due):
            yield from _own_sections(part)


def is_section(due: Any) -> bool:
    """Whether a type is a map with keys of ours."""
    is_scalar = due in LEAF_SCHEMAS or due in COMPOUND_SCHEMAS or due is AnyValue
    return isinstance(due, type) and attrs.has(due) and not is_scalar


def section(due: Any, more: Mapping[str, Schema] | None = None) -> Schema:
    """A map with the keys of a section; `more` are accepted beside them."""
    properties = {one.name: field(one) for one in settings(due)} | dict(more or {})
    needs = [one.name for one in settings(due) if one.default is attrs.NOTHING]
    made = {"description": (due.__doc__ or "").partition("\n")[0]}
    made |= closed_map(properties, needs=needs)
    return {**made, "additionalProperties": True} if _accepts_any_key(due) else made


def _accepts_any_key(due: Any) -> bool:
    return bool(getattr(due, "ACCEPTS_ANY_KEY", False))


def field(one: Any) -> Schema:
    """What a key may hold."""
    if (why := one.metadata.get("refused")) is not None:
        return dict(REFERENCE_ONLY if why == "literal_secret" else NULL)
    schema = value(one.type, one.metadata.get("range"))
    is_enforced = one.metadata.get("is_enforced", True)
    return schema if is_enforced else {**schema, "description": "not enforced yet"}


def value(due: Any, limits: tuple[float, float] | None = None) -> Schema:
    """What a value of a type looks like, told apart as `structure` does."""
    if due in SPECIAL:
        return reference(SPECIAL[due][1])
    if due in COMPOUND_SCHEMAS:
        return dict(COMPOUND_SCHEMAS[due])
    if due in LEAF_SCHEMAS:
        return {**LEAF_SCHEMAS[due], **_limits(due, limits)}
    if due is AnyValue:
        return {}
    if isinstance(due, type) and issubclass(due, Enum):
        return word(str(member.value) for member in due)
    if is_section(due):
        return reference(name_of(due))
    return _composed(due, limits)


def _composed(due: Any, limits: tuple[float, float] | None) -> Schema:
    parts = get_args(due)
    if type(None) in parts:
        return nullable(value(present(due), limits))
    if get_origin(due) is tuple and parts[1:] == (...,):
        if get_origin(parts[0]) is tuple and len(get_args(parts[0])) == 2:
            return {"type": "object", "additionalProperties": value(get_args(parts[0])[1])}
        return list_of(value(parts[0]))
    raise HouseBug(f"no schema for {due}")


def _limits(due: Any, limits: tuple[float, float] | None) -> Schema:
    if limits is None:
        return {}
    names = ("minLength", "maxLength") if due is Text else ("minimum", "maximum")
    return dict(zip(names, limits, strict=True))


def keys_at(due: Any, steps: Iterable[str | int]) -> tuple[str, ...]:
    """The canonical keys of the section at the end of a path; none where there is no section."""
    for step in steps:
        due = inside(due, step)
    due = present(due)
    if not is_section(due):
        return ()
    flags = attrs.fields(model.FailFlags) if hasattr(due, "KIND") else ()
    return tuple(one.name for one in (*settings(due), *flags))


def inside(due: Any, step: str | int) -> Any:
    """The type of what a key or an index leads to, None where nothing is known of it."""
    due = present(due)
    if is_section(due) and isinstance(step, str):
        name = step.replace("-", "_")
        return next((one.type for one in settings(due) if one.name == name), None)
    if get_origin(due) is not tuple:
        return None
    member = get_args(due)[0]
    return get_args(member)[1] if get_origin(member) is tuple else member


def present(due: Any) -> Any:
    """A type without its None."""
    if get_origin(due) not in (Union, UnionType) or type(None) not in get_args(due):
        return due
    (member,) = (one for one in get_args(due) if one is not type(None))
    return member
