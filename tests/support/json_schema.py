"""A validator for the part of JSON Schema (draft 7) that kt prints; any other keyword is refused.

Independent of how the schema is made. Also the data that an editor sees in a YAML text.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from kt.compiler.reader import read
from kt.compiler.tree import Map, Node, Scalar, Seq
from kt.diagnostics import Report
from kt.source import Source

# Any: JSON, and JSON Schema as JSON.

Check = Callable[[Any, Any, Any, Any], bool]
"""Whether a value satisfies a keyword's argument; then its schema, then the root."""


def accepts(schema: Any, value: Any, root: Any = None) -> bool:
    """Whether a schema accepts a value."""
    root = schema if root is None else root
    if "$ref" in schema:
        return accepts(resolve(schema["$ref"], root), value, root)
    if "if" in schema:
        chosen = "then" if accepts(schema["if"], value, root) else "else"
        return accepts(schema[chosen], value, root) and accepts(without(schema), value, root)
    return all(CHECKS[name](argument, value, schema, root) for name, argument in schema.items())


def without(schema: Any) -> Any:
    """A schema without its alternatives."""
    return {name: one for name, one in schema.items() if name not in ("if", "then", "else")}


def resolve(reference: str, root: Any) -> Any:
    """What a reference inside the same document names."""
    prefix, name = reference.rsplit("/", 1)
    assert prefix == "#/definitions"
    return root["definitions"][name]


def data_of(text: str) -> Any:
    """The data in a YAML text, None where it cannot be read."""
    source = Source("kt.yaml", text)
    report = Report(source)
    tree = read(source, report)
    return None if tree is None or report.errors else plain(tree)


def plain(node: Node) -> Any:
    """A tree without positions."""
    match node:
        case Scalar():
            return node.value
        case Seq():
            return [plain(item) for item in node.items]
        case Map():
            return {entry.key.text: plain(entry.value) for entry in node.entries}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
        "string": lambda value: isinstance(value, str),
        "boolean": lambda value: isinstance(value, bool),
        "null": lambda value: value is None,
        "number": _is_number,
        "integer": lambda value: _is_number(value) and value == int(value),
    }
)


def _has_type(names: Any, value: Any, _schema: Any, _root: Any) -> bool:
    return any(TYPES[name](value) for name in ([names] if isinstance(names, str) else names))


def _properties(of: Any, value: Any, _schema: Any, root: Any) -> bool:
    if not isinstance(value, dict):
        return True
    return all(accepts(one, value[name], root) for name, one in of.items() if name in value)


def _pattern_properties(of: Any, value: Any, _schema: Any, root: Any) -> bool:
    if not isinstance(value, dict):
        return True
    matched = (
        (one, inner)
        for key, inner in value.items()
        for name, one in of.items()
        if re.search(name, key)
    )
    return all(accepts(one, inner, root) for one, inner in matched)


def _additional(schema_or_switch: Any, value: Any, schema: Any, root: Any) -> bool:
    if not isinstance(value, dict) or schema_or_switch is True:
        return True
    patterns = schema.get("patternProperties", {})
    others = [
        inner
        for key, inner in value.items()
        if key not in schema.get("properties", {})
        and not any(re.search(pattern, key) for pattern in patterns)
    ]
    if schema_or_switch is False:
        return not others
    return all(accepts(schema_or_switch, inner, root) for inner in others)


def _bounded(measure: Callable[[Any], Any], kind: Callable[[Any], bool], sign: int) -> Check:
    return lambda limit, value, _schema, _root: (
        not kind(value) or sign * measure(value) >= sign * limit
    )


def _describes(*_: Any) -> bool:
    return True


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        **dict.fromkeys(["$schema", "title", "description", "definitions"], _describes),
        "type": _has_type,
        "enum": lambda words, value, _schema, _root: value in words,
        "pattern": lambda text, value, _schema, _root: (
            not isinstance(value, str) or re.search(text, value) is not None
        ),
        "minLength": _bounded(len, TYPES["string"], 1),
        "maxLength": _bounded(len, TYPES["string"], -1),
        "minimum": _bounded(lambda value: value, _is_number, 1),
        "maximum": _bounded(lambda value: value, _is_number, -1),
        "minProperties": _bounded(len, TYPES["object"], 1),
        "maxProperties": _bounded(len, TYPES["object"], -1),
        "minItems": _bounded(len, TYPES["array"], 1),
        "required": lambda names, value, _schema, _root: (
            not isinstance(value, dict) or all(name in value for name in names)
        ),
        "properties": _properties,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional,
        "propertyNames": lambda one, value, _schema, root: (
            not isinstance(value, dict) or all(accepts(one, key, root) for key in value)
        ),
        "items": lambda one, value, _schema, root: (
            not isinstance(value, list) or all(accepts(one, item, root) for item in value)
        ),
        "not": lambda one, value, _schema, root: not accepts(one, value, root),
        "anyOf": lambda many, value, _schema, root: any(accepts(one, value, root) for one in many),
        "allOf": lambda many, value, _schema, root: all(accepts(one, value, root) for one in many),
    }
)
"""Keyword -> how it is checked."""
