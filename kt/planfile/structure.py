"""JSON data to the frozen values of a plan: nothing coerced, left out or left over.

In: parsed JSON and a class. Out: a value of the class, which gives the same JSON again. Raises
Misfit, which says where; its message never quotes a value.
"""

import functools
import math
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from kt.plan import BODIES

# Any stands in this room where JSON, or a type that is a value, is of any kind.

T = TypeVar("T")


class Misfit(Exception):
    """The data is not what is due; the message says where and why."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'the document'}: {problem}")


def structure(value: Any, due: type[T]) -> T:
    """Read JSON data as a class. Raises Misfit."""
    try:
        read: T = _read(value, due, "")
    except RecursionError:
        raise Misfit("", "nested too deep") from None
    return read


def _read(value: Any, due: Any, path: str) -> Any:
    origin = get_origin(due)
    if origin in (Union, UnionType):
        return _read(value, _member(value, get_args(due), path), path)
    if origin is tuple:
        return _items(value, get_args(due), path)
    if origin is frozenset:
        return _members(value, get_args(due)[0], path)
    if attrs.has(due):
        return _record(value, due, path)
    if issubclass(due, Enum):
        return _word(value, due, path)
    return _leaf(value, due, path)


def _member(value: Any, options: tuple[Any, ...], path: str) -> Any:
    """Which of several types it is: leaves differ by type, objects by the names of their fields."""
    for option in options:
        if _is_tuple(option) or _is_enum(option):
            fits = isinstance(value, list if _is_tuple(option) else str)
        elif attrs.has(option):
            fits = isinstance(value, dict) and _names_it(value, option)
        else:
            fits = type(value) is option
        if fits:
            return option
    raise Misfit(path, "not one of what may stand here")


def _is_tuple(option: Any) -> bool:
    return get_origin(option) is tuple


def _is_enum(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, Enum)


def _names_it(value: Mapping[str, Any], option: type) -> bool:
    """A body says by `node` which one it is; the fields of the others are distinct or alone."""
    if option in BODIES:
        return value.get("node") == option.__name__
    return _fields(option).keys() == value.keys()


def _items(value: Any, types: tuple[Any, ...], path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise Misfit(path, "not a list")
    if types[-1] is Ellipsis:
        types = types[:1] * len(value)
    if len(types) != len(value):
        raise Misfit(path, f"not {len(types)} items")
    pairs = enumerate(zip(value, types, strict=True))
    return tuple([_read(item, due, f"{path}[{at}]") for at, (item, due) in pairs])


def _members(value: Any, due: Any, path: str) -> frozenset[Any]:
    members = _items(value, (due, ...), path)
    if value != sorted(set(value)):
        raise Misfit(path, "not sorted, or something twice")
    return frozenset(members)


def _record(value: Any, due: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise Misfit(path, "not an object")
    fields = _fields(due)
    tag = {"node"} if due in BODIES else set()
    for name in sorted(value.keys() - fields.keys() - tag):
        raise Misfit(path, f"unknown field '{name[:40]}'")
    for name in sorted(fields.keys() - value.keys()):
        raise Misfit(path, f"the field '{name}' is missing")
    read = {name: _read(value[name], kind, _below(path, name)) for name, kind in fields.items()}
    return due(**read)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@functools.cache
def _fields(due: Any) -> Mapping[str, Any]:
    hints = get_type_hints(due)
    return {field.name: hints[field.name] for field in attrs.fields(due)}


def _word(value: Any, due: type[Enum], path: str) -> Enum:
    if not isinstance(value, str) or value not in {one.value for one in due}:
        raise Misfit(path, f"not a word of {due.__name__}")
    return due(value)


def _leaf(value: Any, due: type, path: str) -> Any:
    # A whole number of seconds may be written without its point; it stays what it is.
    is_due = type(value) is due or (due is float and type(value) is int)
    if not is_due:
        raise Misfit(path, f"not {_NAMES[due]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Misfit(path, "not a finite number")
    if isinstance(value, str) and not _is_text(value):
        raise Misfit(path, "half a character")
    return value


_NAMES = MappingProxyType(
    {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
