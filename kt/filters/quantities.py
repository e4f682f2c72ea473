"""Numbers with and without a unit, as a filter writes them."""

import math
import re
from enum import Enum

import attrs

from kt.units import parse_duration, parse_size

_NUMBER = re.compile(r"-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?")

LARGEST = 10**25 - 1
"""The largest whole number that can be written with all its digits."""

EXACT = 10**15
"""Below this a float without a fraction is written as the whole number that it is."""


class Unit(Enum):
    """What a number is a number of."""

    NONE = "number"
    DURATION = "duration"
    """Its quantity is in milliseconds."""
    SIZE = "size"
    """Its quantity is in bytes."""


@attrs.frozen
class Quantity:
    """A number and its unit."""

    value: int | float
    unit: Unit = Unit.NONE


def read_quantity(text: str) -> Quantity:
    """Read `500`, `-0.5`, `1e3`, `250ms` or `64KB`. Raises ValueError on anything else."""
    if _NUMBER.fullmatch(text):
        return Quantity(_number(text))
    try:
        # Rounded to a nanosecond, so that 0.29s is the 290 that an event says.
        return Quantity(plain(round(parse_duration(text) * 1000, 6)), Unit.DURATION)
    except ValueError:
        return Quantity(parse_size(text), Unit.SIZE)


def _number(text: str) -> int | float:
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return plain(number)


def plain(number: float) -> int | float:
    """The same number, without a fraction where it has none: equal constants are written alike."""
    return int(number) if abs(number) < EXACT and float(number).is_integer() else number
