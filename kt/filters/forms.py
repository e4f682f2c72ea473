"""What values a field can have, for the type check, the facts and the analysis alike."""

import math
from enum import Enum
from typing import TypeGuard

import attrs

Scalar = str | int | float | bool | None
"""A constant of the language, in the unit of the field that it is compared with."""

Value = Scalar | frozenset[str]
"""What a field holds."""


class Kind(Enum):
    """The types of fields."""

    NUMBER = "number"
    MILLISECONDS = "duration"
    """Milliseconds; a number without a unit is of milliseconds too."""
    BYTES = "size"
    """Bytes; a number without a unit is of bytes too."""
    BOOLEAN = "boolean"
    TEXT = "text"
    TEXTS = "list of texts"

    @property
    def is_numeric(self) -> bool:
        """Whether there is an order."""
        return self in _NUMERIC


_NUMERIC = frozenset({Kind.NUMBER, Kind.MILLISECONDS, Kind.BYTES})


@attrs.frozen
class Form:
    """The values that a field can have, where it is there at all."""

    kind: Kind
    is_nullable: bool = False
    """It may be there and null."""
    is_whole: bool = False
    minimum: int | None = None
    words: tuple[str, ...] = ()
    """The only texts that it can be; empty: any."""


def belongs(value: object, form: Form) -> TypeGuard[Value]:
    """Whether a field of this form can have this value."""
    match value:
        case None:
            return form.is_nullable
        case bool():
            return form.kind is Kind.BOOLEAN
        case int() | float():
            return form.kind.is_numeric and _is_in_range(value, form)
        case str():
            return form.kind is Kind.TEXT and is_text(value) and _is_word(value, form)
        case frozenset():
            return form.kind is Kind.TEXTS and all(map(is_text, value))
        case _:
            return False


def _is_in_range(value: float, form: Form) -> bool:
    is_whole = isinstance(value, int) or (math.isfinite(value) and value.is_integer())
    is_number = is_whole if form.is_whole else math.isfinite(value)
    return is_number and (form.minimum is None or value >= form.minimum)


def is_text(value: object) -> bool:
    """Whether it can be written as UTF-8: half a surrogate pair cannot."""
    return isinstance(value, str) and (value.isascii() or not _has_surrogate(value))


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= one <= "\udfff" for one in value)


def _is_word(value: str, form: Form) -> bool:
    return not form.words or value in form.words
