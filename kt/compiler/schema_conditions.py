"""The JSON Schema of a condition: a text, or a map of what the filter language can compare.

In: the vocabulary of requests. Out: a schema. Never: a field of its own.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from kt.compiler.conditions import UNMEASURED
from kt.compiler.schema_forms import Schema, closed_map
from kt.filters.forms import Form, Kind
from kt.filters.structured import PLACES, SUFFIXES
from kt.filters.vocabulary import HEADER, REQUEST

_HEADERS: Mapping[str, object] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "array"], "items": {"type": "string"}},
    }
)


def condition_schema() -> Schema:
    """Both forms of a condition."""
    return {**closed_map(dict(_properties())), "type": ["string", "object"]}


def _properties() -> Iterator[tuple[str, Schema]]:
    for entry in REQUEST.entries:
        if not entry.has_key:
            for name in _names(entry.name):
                yield from _compared(name, entry.form)
    yield HEADER, dict(_HEADERS)
    yield from ((name, {}) for name in UNMEASURED)


def _names(name: str) -> Iterator[str]:
    """The short name before the full one."""
    yield from (name.removeprefix(place) for place in PLACES if place and name.startswith(place))
    yield name


def _compared(name: str, form: Form) -> Iterator[tuple[str, Schema]]:
    types = _types(form)
    some = [*types, "null"] if form.is_nullable else types
    if form.kind is Kind.BOOLEAN:
        yield name, {"type": some}
        return
    yield name, {"type": [*some, "array"], "items": {"type": some}}
    for suffix in SUFFIXES if form.kind.is_numeric else ():
        yield name + suffix, {"type": types}


def _types(form: Form) -> list[str]:
    if form.kind is Kind.BOOLEAN:
        return ["boolean"]
    return ["number", "string"] if form.kind.is_numeric else ["string"]
