"""A filter as text: the shortest spelling that reads as the same tree."""

from types import UnionType
from typing import assert_never

from kt.filters.forms import Scalar
from kt.filters.syntax import Always, And, Comparison, Exists, Filter, Not, Or


def show(tree: Filter) -> str:
    """Print a filter; reading it with the same vocabulary gives an equal tree."""
    match tree:
        case Always(value):
            return show_value(value)
        case Exists(field):
            return f"exists({field.label})"
        case Comparison(field, operator, value):
            return f"{field.label} {operator.value} {show_value(value)}"
        case Not(inner):
            return f"not {_inside(inner, And | Or)}"
        case And(parts):
            return " and ".join([_inside(part, Or) for part in parts])
        case Or(parts):
            return " or ".join([show(part) for part in parts])
        case _:
            assert_never(tree)


def _inside(tree: Filter, weaker: type | UnionType) -> str:
    return f"({show(tree)})" if isinstance(tree, weaker) else show(tree)


def show_value(value: Scalar | tuple[Scalar, ...]) -> str:
    """Print a constant; numbers without a unit, which every field reads in its own."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case tuple():
            return f"[{', '.join([show_value(item) for item in value])}]"
        case _:
            return repr(value)
