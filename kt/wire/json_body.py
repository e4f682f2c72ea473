"""JSON bodies, read strictly or leniently.

In: bytes. Out: a plain JSON value. Never: raises anything but GatewayError for what a client or a
provider sent, or quotes it.
"""

import json
import re
from typing import Any

import attrs
import orjson

from kt.errors import GatewayError, HouseBug

JsonValue = None | bool | int | float | str | list[Any] | dict[str, Any]
"""Any: JSON is any shape, and its readers check what they rely on."""

MAX_DEPTH = 128
"""Arrays and objects inside each other; everything that walks a value may recurse this deep."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_INT = 18
"""More digits than this are read as a float: only the bytes matter, and `int` is not linear."""

STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
"""A string token; possessive, so that what is none fails in one pass."""
_NESTING = re.compile(STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_KEYS = re.compile(rb"(" + STRING.pattern + rb")([ \t\r\n]*+:)?|[{}]", re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


@attrs.frozen
class Number:
    """A number of an embedded document as it is written there."""

    text: str


class _Duplicate(Exception):
    """An object has a key twice."""


class Ambiguous(Exception):
    """An embedded document that different readers read differently."""


# ---- Reading


def parse_strict(body: bytes) -> JsonValue:
    """Read a request's body, which must have one meaning for everybody who reads it.

    Raises GatewayError `invalid_json` for what is not JSON in UTF-8 or nested too deep, and
    `ambiguous_json` for a byte-order mark, lone surrogates, and keys that differ in case at most.
    """
    if body.startswith(_BYTE_ORDER_MARK):
        raise GatewayError("ambiguous_json", "the body starts with a byte-order mark")
    try:
        value: JsonValue = json.loads(
            body.decode(),
            object_pairs_hook=_unambiguous,
            parse_constant=_no_constant,
            parse_int=_whole,
        )
    except UnicodeDecodeError as error:
        raise _invalid("the body is not UTF-8", error.start) from None
    except json.JSONDecodeError as error:
        at = len(error.doc[: error.pos].encode())
        raise _invalid("the body is not JSON", at) from None
    except ValueError:
        raise GatewayError("invalid_json", "the body holds a number that is none") from None
    except RecursionError:
        raise _too_deep("invalid_json") from None
    except _Duplicate:
        message = f"an object has the same key twice at byte {_second_key(body)}"
        raise GatewayError("ambiguous_json", message) from None
    _demand_depth(body, "invalid_json")
    torn_at = _lone_surrogate(body)
    if torn_at is not None:
        raise GatewayError("ambiguous_json", f"half of a surrogate pair at byte {torn_at}")
    return value


def parse_lenient(body: bytes) -> JsonValue:
    """Read a provider's answer. Raises GatewayError `bad_response`."""
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise GatewayError("bad_response", "the provider's answer is not JSON") from None
    _demand_depth(body, "bad_response")
    return value


def parse_embedded(text: str) -> JsonValue | Number:
    """Read the document inside a string; numbers, `NaN` too, stay as written.

    Raises ValueError where it is no document, and Ambiguous where readers may disagree on it.
    """
    try:
        value: JsonValue | Number = json.loads(
            text,
            object_pairs_hook=_exactly_once,
            parse_constant=Number,
            parse_int=Number,
            parse_float=Number,
        )
        text.encode()
    except (_Duplicate, RecursionError, UnicodeEncodeError):
        raise Ambiguous from None
    body = text.encode()
    if _lone_surrogate(body) is not None or _depth(body) > MAX_DEPTH:
        raise Ambiguous
    return value


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        raise _Duplicate
    return dict(pairs)


def _exactly_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Duplicate
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INT else float(digits)


def _invalid(what: str, at: int) -> GatewayError:
    return GatewayError("invalid_json", f"{what} at byte {at}")


def _too_deep(code: str) -> GatewayError:
    return GatewayError(code, f"JSON is nested more than {MAX_DEPTH} deep")


def _demand_depth(body: bytes, code: str) -> None:
    # Counting is much cheaper than looking for strings, and enough for most bodies.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise _too_deep(code)


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for token in _NESTING.finditer(body):
        first = token[0][:1]
        if first != b'"':
            depth += 1 if first in b"[{" else -1
            deepest = max(deepest, depth)
    return deepest


def _second_key(body: bytes) -> int:
    """Where the first key stands that its object already has."""
    open_objects: list[set[str]] = []
    for token in _KEYS.finditer(body):
        if token[0] == b"{":
            open_objects.append(set())
        elif token[0] == b"}":
            open_objects.pop()
        elif token[2]:
            key = json.loads(token[1]).casefold()
            if key in open_objects[-1]:
                return token.start()
            open_objects[-1].add(key)
    raise HouseBug("the reader saw a key twice and the tokenizer did not")


def _lone_surrogate(body: bytes) -> int | None:
    """Where the first string stands that no UTF-8 text can hold."""
    if not _SURROGATE_ESCAPE.search(body):
        return None
    for token in STRING.finditer(body):
        try:
            json.loads(token[0]).encode()
        except UnicodeEncodeError:
            return token.start()
    return None
