"""What a setting can be: values with their positions, and what a key accepts.

`setting` and its kin are fields of the model; None means "not given".
"""
# ruff: noqa: RUF009 - `located` is attrs.field with our metadata, not a default

from typing import Any

import attrs

from kt.source import Span


def located() -> Any:  # Any: attrs.field's own signature
    """The position of a value: outside equality, so that equal configurations are equal."""
    return attrs.field(eq=False, repr=False, metadata={"located": True})


def setting(
    default: object = None,
    *,
    least: float | None = None,
    most: float | None = None,
    is_enforced: bool = True,
    refused: str | None = None,
) -> Any:  # Any: attrs.field's own signature
    """An optional key: the range it accepts, and the code to report where it must not be set."""
    metadata = {"range": None if least is None else (least, most), "refused": refused}
    return attrs.field(default=default, metadata={**metadata, "is_enforced": is_enforced})


def required(*, least: float | None = None, most: float | None = None) -> Any:
    """A key that must be given."""
    return attrs.field(metadata={"range": None if least is None else (least, most)})


@attrs.frozen
class Text:
    """A string and its position."""

    value: str
    span: Span = located()


@attrs.frozen
class Number:
    """A whole number and its position."""

    value: int
    span: Span = located()


@attrs.frozen
class Duration:
    """Seconds and their position."""

    value: float
    span: Span = located()


@attrs.frozen
class Size:
    """Bytes and their position."""

    value: int
    span: Span = located()


MOMENT = 0.001
MONTH = 30 * 86400
GIGABYTE = 2**30
MANY = 1_000_000


def duration(*, is_enforced: bool = True) -> Any:
    """An optional duration, from a millisecond to thirty days."""
    return setting(least=MOMENT, most=MONTH, is_enforced=is_enforced)


def size(*, is_enforced: bool = True) -> Any:
    """An optional size, from one byte to a gigabyte."""
    return setting(least=1, most=GIGABYTE, is_enforced=is_enforced)


def count(*, least: int = 1, is_enforced: bool = True) -> Any:
    """An optional number of things."""
    return setting(least=least, most=MANY, is_enforced=is_enforced)


def not_enforced() -> Any:
    """An optional key of any value that nothing acts on yet."""
    return setting(is_enforced=False)
