"""Pieces of JSON Schema (draft 7): words and keys in both spellings, references, null.

In: names. Out: schemas as JSON data. Never: anything of the model.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]  # Any: JSON is any shape

VARIABLE = r"\$\{"
"""In a value of any type: what it comes to is decided where it is compiled."""

NULL: Mapping[str, str] = MappingProxyType({"type": "null"})


def reference(name: str) -> Schema:
    """What the definition of a name says."""
    return {"$ref": f"#/definitions/{name}"}


def has_key(name: str) -> Schema:
    """Demand a key, in one of its spellings."""
    if not _has_joint(name):
        return {"required": [name]}
    return {"not": {"propertyNames": {"not": {"pattern": _spelling(name)}}}}


def spelled(properties: Mapping[str, Schema]) -> Schema:
    """Properties under their canonical names, and patterns for the other spellings."""
    others = {_other_spelling(name): one for name, one in properties.items() if _has_joint(name)}
    return {"properties": dict(properties), **({"patternProperties": others} if others else {})}


def closed_map(properties: Mapping[str, Schema], *, needs: Iterable[str] = ()) -> Schema:
    """A map of these keys and no others; without needed keys, nothing stands for an empty one."""
    demands = [has_key(name) for name in needs]
    return {
        "type": "object" if demands else ["object", "null"],
        **spelled(properties),
        "additionalProperties": False,
        **({"allOf": demands} if demands else {}),
    }


def key(words: Iterable[str]) -> Schema:
    """One of some words, spelled with `-` or `_`; the canonical ones are what an editor offers."""
    return _one_of(words, ())


def word(words: Iterable[str]) -> Schema:
    """The same for a value, which may come from a variable."""
    return _one_of(words, (VARIABLE,))


def _one_of(words: Iterable[str], patterns: Iterable[str]) -> Schema:
    known = list(words)
    others = [*(_other_spelling(one) for one in known if _has_joint(one)), *patterns]
    if not others:
        return {"type": "string", "enum": known}
    return {"type": "string", "anyOf": [{"enum": known}, {"pattern": "|".join(others)}]}


def list_of(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def nullable(schema: Schema) -> Schema:
    """The same, or nothing."""
    if schema.keys() & {"$ref", "enum", "anyOf"}:
        return {"anyOf": [schema, dict(NULL)]}
    if "type" not in schema:
        return schema
    listed = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*listed, "null"]}


def _has_joint(name: str) -> bool:
    return "_" in name or "-" in name


def _spelling(name: str) -> str:
    return f"^{name.replace('-', '_').replace('_', '[-_]')}$"


def _other_spelling(name: str) -> str:
    return f"^(?!{name}$){_spelling(name)[1:]}"
