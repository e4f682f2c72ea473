"""What a plain YAML scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1.

`no`, `on` and `1:30` are strings, `1_000` too; `0o17` and `0x1F` are numbers.
"""

import math
import re

from kt.compiler.tree import Value

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What no text of a configuration may contain."""

DIGITS = 100
"""Longer numbers are refused: no setting needs them, and reading them takes quadratic time."""


def resolve(text: str) -> Value:
    """The value of a plain scalar. Raises ValueError for a number that cannot be stored exactly."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(text)
    if _INTEGER.fullmatch(text):
        return _number(text)
    return _number(text) if _FLOAT.fullmatch(text) else text


def _number(text: str) -> int | float:
    if len(text) > DIGITS:
        raise ValueError(text)
    if text[:2] in ("0o", "0x"):
        return int(text, 0)
    if _INTEGER.fullmatch(text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
