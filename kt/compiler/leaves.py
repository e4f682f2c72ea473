"""Read single values: the strict meaning of every scalar type that a setting may have.

In: a node and what is due. Out: the value. Raises Rejected once a problem is in the report.
"""

from enum import Enum
from typing import TypeVar, cast

from kt.compiler.fields import Duration, Number, Size, Text
from kt.compiler.tree import Node, Scalar
from kt.diagnostics import Report
from kt.units import parse_duration, parse_size

E = TypeVar("E", bound=Enum)

_YES = frozenset({"yes", "on", "y"})
_NO = frozenset({"no", "off", "n"})


class Rejected(Exception):
    """This value cannot be used, and the report says why."""


def reject(report: Report, node: Node, expected: str, hint: str | None = None) -> Rejected:
    """Report a node that is not what is due."""
    report.add("wrong_type", node.span, expected=expected, found=node.found, hint=hint)
    return Rejected()


def read_bool(report: Report, node: Node) -> bool:
    """True or false, spelled so."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    word = node.text.lower() if isinstance(node, Scalar) else ""
    meant = "true" if word in _YES else "false" if word in _NO else None
    hint = f"write {meant}: in YAML 1.2 this word is a string" if meant else None
    raise reject(report, node, "true or false", hint)


def read_int(report: Report, node: Node) -> int:
    """A whole number."""
    if isinstance(node, Scalar) and type(node.value) is int:
        return node.value
    raise reject(report, node, "a whole number")


def read_float(report: Report, node: Node) -> float:
    """A number."""
    if isinstance(node, Scalar) and type(node.value) in (int, float):
        return float(cast("float", node.value))
    raise reject(report, node, "a number")


def read_str(report: Report, node: Node) -> str:
    """A string; a number or a boolean is none, until it is quoted."""
    if isinstance(node, Scalar) and (isinstance(node.value, str) or node.is_filled):
        return node.text
    is_written = isinstance(node, Scalar) and node.value is not None
    hint = f'quote it: "{node.text}"' if isinstance(node, Scalar) and is_written else None
    raise reject(report, node, "a string", hint)


def read_text(report: Report, node: Node) -> Text:
    """A string with its position."""
    return Text(read_str(report, node), node.span)


def read_number(report: Report, node: Node) -> Number:
    """A whole number with its position."""
    return Number(read_int(report, node), node.span)


def read_duration(report: Report, node: Node) -> Duration:
    """A duration; a bare number counts seconds, with a warning."""
    if isinstance(node, Scalar) and type(node.value) in (int, float):
        hint = f"write {node.text}s"
        report.add("no_unit", node.span, reading="seconds", hint=hint)
        return Duration(read_float(report, node), node.span)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise reject(report, node, "a duration such as 250ms, 5s or 2m")
    try:
        return Duration(parse_duration(node.value), node.span)
    except ValueError as problem:
        report.add("bad_duration", node.span, word=node.value, problem=str(problem))
        raise Rejected from None


def read_size(report: Report, node: Node) -> Size:
    """A size; a bare number counts bytes, with a warning."""
    if isinstance(node, Scalar) and type(node.value) is int:
        report.add("no_unit", node.span, reading="bytes", hint=f"write {node.text}b")
        return Size(node.value, node.span)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise reject(report, node, "a size such as 64kb or 10mb")
    try:
        return Size(parse_size(node.value), node.span)
    except ValueError as problem:
        report.add("bad_size", node.span, word=node.value, problem=str(problem))
        raise Rejected from None


def read_enum(report: Report, node: Node, words: type[E]) -> E:
    """One of a fixed set of words, spelled with `-` or `_`."""
    word = read_str(report, node)
    for member in words:
        if word.replace("_", "-") == str(member.value).replace("_", "-"):
            return member
    values = [str(member.value) for member in words]
    hint = report.suggest(word, values) or f"use one of {', '.join(values)}"
    report.add("unknown_word", node.span, word=word, hint=hint)
    raise Rejected


LEAVES = {
    bool: read_bool,
    int: read_int,
    float: read_float,
    str: read_str,
    Text: read_text,
    Number: read_number,
    Duration: read_duration,
    Size: read_size,
}
"""Type -> how it is read."""
