"""Conditions given as a map, such as `when: {path, header, model}`, to the same tree as text.

In: conditions with the positions of whatever they were written in. Out: Filter. Raises FilterError
with those positions.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import attrs

from kt.filters import typing_rules
from kt.filters.forms import Kind
from kt.filters.quantities import LARGEST, Quantity, plain, read_quantity
from kt.filters.refusals import refusal
from kt.filters.syntax import Field, Filter, Operator, all_of
from kt.filters.typing_rules import MAX_COMPARISONS, Constant
from kt.filters.vocabulary import HEADER, Vocabulary
from kt.source import NOWHERE, Span

Plain = str | int | float | bool | None

PLACES = ("", "request.", "user.")
"""Where a short name is looked for, in this order: `model` is `request.model` in a request."""

SUFFIXES: Mapping[str, Operator] = MappingProxyType(
    {
        "_gt": Operator.GREATER,
        "_gte": Operator.GREATER_OR_EQUAL,
        "_lt": Operator.LESS,
        "_lte": Operator.LESS_OR_EQUAL,
    }
)

_PREFIXED = frozenset({"request.path"})
"""Fields of which a text means the beginning, as the product's `when.path` does."""


@attrs.frozen
class Condition:
    """One entry of the map: a value, several of which one must be met, or a map of its own."""

    key: str
    value: "Plain | tuple[Plain, ...] | tuple[Condition, ...]"
    span: Span = NOWHERE


@attrs.frozen
class _Subject:
    """What a key asks about, and how."""

    field: Field
    operator: Operator | None


def from_structured(conditions: Iterable[Condition], vocabulary: Vocabulary) -> Filter:
    """Translate a map: all its conditions must hold. Raises FilterError for one that cannot be."""
    found: list[Filter] = []
    for condition in conditions:
        found += _filters(condition, vocabulary)
        if len(found) > MAX_COMPARISONS:
            span = condition.span
            raise refusal("too_many", span.start, span.end, limit=MAX_COMPARISONS)
    return all_of(found)


def _filters(condition: Condition, vocabulary: Vocabulary) -> Iterator[Filter]:
    if condition.key == HEADER and vocabulary.find(HEADER) is not None:
        for inner in _inner(condition):
            field = typing_rules.field(HEADER, inner.key, inner.span, vocabulary)
            yield _compared(_Subject(field, None), inner)
    else:
        yield _compared(_subject(condition, vocabulary), condition)


def _inner(condition: Condition) -> Iterator[Condition]:
    """The conditions of a map inside the map."""
    value = condition.value
    for inner in value if isinstance(value, tuple) else (value,):
        if not isinstance(inner, Condition):
            raise refusal("bad_condition", condition.span.start, condition.span.end)
        yield inner


def _subject(condition: Condition, vocabulary: Vocabulary) -> _Subject:
    """The field of a key, with the operator of its suffix unless a field is called like that."""
    key, span = condition.key, condition.span
    name = _full_name(key, vocabulary)
    if name is not None:
        return _Subject(typing_rules.field(name, None, span, vocabulary), None)
    for suffix, operator in SUFFIXES.items():
        name = _full_name(key.removesuffix(suffix), vocabulary)
        if key.endswith(suffix) and name is not None:
            return _Subject(typing_rules.field(name, None, span, vocabulary), operator)
    return _Subject(typing_rules.field(key, None, span, vocabulary), None)


def _full_name(key: str, vocabulary: Vocabulary) -> str | None:
    names = (place + key for place in PLACES)
    return next((name for name in names if vocabulary.find(name) is not None), None)


def _compared(subject: _Subject, condition: Condition) -> Filter:
    field, span, value = subject.field, condition.span, condition.value
    if not isinstance(value, tuple):
        operator = subject.operator or _default(field)
        return typing_rules.comparison(field, operator, _constant(field, value, span), span)
    # NOT: a suffix with a list, of which any meaning would be a guess.
    items = tuple(_constant(field, item, span) for item in value)
    return typing_rules.comparison(field, subject.operator or Operator.IN, items, span)


def _default(field: Field) -> Operator:
    """What a value without a suffix means."""
    if field.form.kind is Kind.TEXTS:
        return Operator.CONTAINS
    return Operator.STARTS_WITH if field.name in _PREFIXED else Operator.EQUAL


def _constant(field: Field, value: Plain | Condition, span: Span) -> Constant:
    match value:
        case Condition():
            raise refusal("bad_condition", span.start, span.end)
        case str() if field.form.kind.is_numeric:
            return Constant(_quantity(value, span), span)
        case bool() | str() | None:
            return Constant(value, span)
        case _:
            return Constant(_number(value, span), span)


def _number(value: float, span: Span) -> Quantity:
    """A number as the text of a filter could say it."""
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > LARGEST):
        raise refusal("bad_number", span.start, span.end)
    return Quantity(plain(value))


def _quantity(text: str, span: Span) -> Quantity:
    """A number with a unit, which YAML has as a text."""
    try:
        return read_quantity(text)
    except ValueError:
        raise refusal("bad_number", span.start, span.end) from None
