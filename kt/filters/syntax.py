"""What a filter says, as a frozen tree; positions are no part of what it says.

Trees are built by `all_of`, `any_of` and `negation`, which keep one form for what is the same by
grouping alone. The names of the fields keep the JSON of different trees apart: it has no other tag.
"""

# ruff: noqa: RUF009 - `located` is attrs.field with our metadata, not a default

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

import attrs

from kt.filters.forms import Form, Scalar
from kt.source import NOWHERE, Span


def located() -> Any:  # Any: attrs.field's own signature
    """Where it was written: not compared, not shown, and no part of a plan's digest."""
    return attrs.field(default=NOWHERE, eq=False, repr=False, metadata={"descriptive": True})


class Operator(Enum):
    """How a field is compared with a constant."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"


@attrs.frozen
class Field:
    """One field of the facts."""

    name: str
    key: str | None
    """In lower case; only a header has one."""
    form: Form = attrs.field(eq=False, repr=False, metadata={"descriptive": True})
    span: Span = located()

    @property
    def label(self) -> str:
        """How it is written, and under which name facts hold it."""
        return self.name if self.key is None else f'{self.name}["{self.key}"]'


@attrs.frozen
class Always:
    """A constant: true or false for everything."""

    always: bool
    span: Span = located()


@attrs.frozen
class Exists:
    """The field is there, null or not."""

    exists: Field
    span: Span = located()


@attrs.frozen
class Comparison:
    """False where the field is not there, whatever the operator."""

    field: Field
    operator: Operator
    value: Scalar | tuple[Scalar, ...]
    span: Span = located()


@attrs.frozen
class Not:
    """True where the inner one is false, a field that is not there included."""

    negated: "Filter"
    span: Span = located()


@attrs.frozen
class And:
    """All of at least two."""

    all_of: "tuple[Filter, ...]"
    span: Span = located()


@attrs.frozen
class Or:
    """Any of at least two."""

    any_of: "tuple[Filter, ...]"
    span: Span = located()


Filter = Always | Exists | Comparison | Not | And | Or

Atom = Exists | Comparison
"""What asks about one field."""


def all_of(filters: Iterable[Filter], span: Span = NOWHERE) -> Filter:
    """True where all are; none at all are true."""
    flat = [inner for one in filters for inner in (one.all_of if isinstance(one, And) else (one,))]
    if not flat:
        return Always(always=True, span=span)
    return flat[0] if len(flat) == 1 else And(tuple(flat), span)


def any_of(filters: Iterable[Filter], span: Span = NOWHERE) -> Filter:
    """True where one is; none at all are false."""
    flat = [inner for one in filters for inner in (one.any_of if isinstance(one, Or) else (one,))]
    if not flat:
        return Always(always=False, span=span)
    return flat[0] if len(flat) == 1 else Or(tuple(flat), span)


def atoms(tree: Filter) -> Iterator[Atom]:
    """Every question about a field, from left to right."""
    match tree:
        case Exists() | Comparison():
            yield tree
        case Not(inner):
            yield from atoms(inner)
        case And(inner_ones) | Or(inner_ones):
            for one in inner_ones:
                yield from atoms(one)
        case Always():
            return


def field_of(atom: Atom) -> Field:
    """The field that is asked about."""
    return atom.exists if isinstance(atom, Exists) else atom.field


def fields_of(tree: Filter) -> frozenset[Field]:
    """The fields whose values the filter needs; nothing else has to be looked up for it."""
    return frozenset(field_of(atom) for atom in atoms(tree))
