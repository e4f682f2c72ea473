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
JsonObject = dict[str, Any]

MAX_DEPTH = 128
"""Arrays and objects inside each other; everything that walks a value may recurse this deep."""

MAX_CONTAINERS = 100_000
"""Arrays and objects in one body: each takes far more memory than its two bytes."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_INT = 100
"""More digits than this are read as a float: only the bytes matter, and `int` is not linear."""

STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
"""A string token; possessive, so that what is none fails in one pass."""
# A string that never ends is one token too: text that is no JSON is walked in one pass as well.
_NESTING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
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
    _demand_moderate(body, "invalid_json")
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
    except _Duplicate:
        message = f"an object has the same key twice at byte {_second_key(body)}"
        raise GatewayError("ambiguous_json", message) from None
    torn_at = _lone_surrogate(body)
    if torn_at is not None:
        raise GatewayError("ambiguous_json", f"half of a surrogate pair at byte {torn_at}")
    return value


def parse_lenient(body: bytes) -> JsonValue:
    """Read a provider's answer. Raises GatewayError `bad_response`."""
    _demand_moderate(body, "bad_response")
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise GatewayError("bad_response", "the provider's answer is not JSON") from None
    return value


def parse_exact(body: bytes) -> JsonValue:
    """Read a provider's answer with every number as written. Raises GatewayError `bad_response`."""
    try:
        value = parse_embedded(body.decode())
    except (ValueError, Ambiguous):
        raise GatewayError("bad_response", "the provider's answer is not JSON") from None
    if isinstance(value, Number):
        raise GatewayError("bad_response", "the provider's answer is a number")
    return value


def parse_embedded(text: str) -> JsonValue | Number:
    """Read the document inside a string; numbers, `NaN` too, stay as written.

    Raises ValueError where it is no document, and Ambiguous where readers may disagree on it.
    """
    try:
        body = text.encode()
        if not _is_moderate(body):
            raise Ambiguous
        value: JsonValue | Number = json.loads(
            text,
            object_pairs_hook=_exactly_once,
            parse_constant=Number,
            parse_int=Number,
            parse_float=Number,
        )
    except (_Duplicate, UnicodeEncodeError):
        raise Ambiguous from None
    if _lone_surrogate(body) is not None:
        raise Ambiguous
    return value


# ---- Looking into what was read


def object_of(value: JsonValue) -> JsonObject:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects_of(value: JsonValue) -> tuple[tuple[int, JsonObject], ...]:
    """The objects of a list with their places; nothing where it is none."""
    items = value if isinstance(value, list) else []
    return tuple((at, item) for at, item in enumerate(items) if isinstance(item, dict))


def count_of(value: JsonValue | Number) -> int | None:
    """The value where it is a whole number."""
    if isinstance(value, Number):
        return int(value.text) if value.text.isdigit() and len(value.text) <= _LONGEST_INT else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# ---- What is refused


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


def _demand_moderate(body: bytes, code: str) -> None:
    if not _is_moderate(body):
        raise GatewayError(
            code, f"JSON is nested more than {MAX_DEPTH} deep, or has too many parts"
        )


def _is_moderate(body: bytes) -> bool:
    """Whether a text, JSON or not, stays within the bounds on nesting and containers."""
    # Counting is much cheaper than looking for strings, and enough for most bodies.
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return True
    depth = containers = 0
    for token in _NESTING.finditer(body):
        first = token[0][:1]
        if first in b"[{":
            depth += 1
            containers += 1
            if depth > MAX_DEPTH or containers > MAX_CONTAINERS:
                return False
        elif first != b'"':
            depth -= 1
    return True


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
