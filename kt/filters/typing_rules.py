"""What may be compared with what: from names and constants as written to typed comparisons.

In: what the text, or a structured form, says. Out: nodes of the syntax, their constants in the
unit of the field. Raises FilterError for everything that is no mistake of the grammar.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from kt.filters.forms import Form, Kind, Scalar, is_text
from kt.filters.quantities import Quantity, Unit
from kt.filters.refusals import FilterError, refusal
from kt.filters.syntax import Comparison, Field, Operator
from kt.filters.vocabulary import Vocabulary
from kt.patterns.syntax import PatternError
from kt.policy import Rule, View
from kt.source import Span

MAX_COMPARISONS = 200
MAX_ITEMS = 1000
"""Of a list."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,200}")

_LONGEST_NEAR = 100
"""Nothing is near to a longer name."""

_SETS = frozenset({Operator.IN, Operator.NOT_IN})
_EQUALITY = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_ORDER = frozenset(
    {Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL}
)
_TEXTUAL = frozenset(
    {Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.MATCHES}
)


@attrs.frozen
class Constant:
    """One constant as it was written."""

    value: str | bool | Quantity | None
    span: Span
    inside: int | None = None
    """Where the characters of a text begin, if they stand there as they are."""


Operand = Constant | tuple[Constant, ...]


def field(name: str, key: str | None, span: Span, vocabulary: Vocabulary) -> Field:
    """The field of a name, with its key where it has one."""
    entry = vocabulary.find(name)
    if entry is None:
        raise _unknown_field(name, span, vocabulary)
    if entry.has_key and key is None:
        raise refusal("needs_key", span.start, span.end, word=name)
    if not entry.has_key and key is not None:
        raise refusal("takes_no_key", span.start, span.end, word=name)
    if key is not None and not _HEADER_NAME.fullmatch(key.lower()):
        raise refusal("bad_header_name", span.start, span.end)
    return Field(name, None if key is None else key.lower(), entry.form, span)


def _unknown_field(name: str, span: Span, vocabulary: Vocabulary) -> FilterError:
    words = {"word": name[:_LONGEST_NEAR], "subject": vocabulary.subject}
    names = ", ".join(vocabulary.names)
    near = nearest(name, vocabulary.names)
    return refusal("unknown_field", span.start, span.end, near, names=names, **words)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that may be meant: the nearest one, or the one that ends in the word."""
    if len(word) > _LONGEST_NEAR:
        return None
    names = sorted(candidates)
    last_parts = [name for name in names if name.endswith(f".{word.lower()}")]
    near = last_parts or difflib.get_close_matches(word.lower(), names, n=1)
    return near[0] if near else None


def comparison(subject: Field, operator: Operator, operand: Operand, span: Span) -> Comparison:
    """A comparison, checked."""
    if operator not in _operators(subject.form):
        raise _wrong_operator(subject, operator, span)
    if operator not in _SETS:
        return Comparison(subject, operator, _one(subject, operator, operand, span), span)
    if not isinstance(operand, tuple):
        raise refusal("needs_list", operand.span.start, operand.span.end, operator=operator.value)
    if len(operand) > MAX_ITEMS:
        raise refusal("long_list", span.start, span.end, limit=MAX_ITEMS)
    values = tuple(_scalar(subject, operator, item) for item in operand)
    return Comparison(subject, operator, values, span)


def truth(subject: Field) -> Comparison:
    """A field that is a condition by itself."""
    if subject.form.kind is not Kind.BOOLEAN:
        place = (subject.span.start, subject.span.end)
        expected = subject.form.kind.value
        raise refusal("not_a_condition", *place, word=subject.label, expected=expected)
    return Comparison(subject, Operator.EQUAL, True, subject.span)


def _operators(form: Form) -> frozenset[Operator]:
    match form.kind:
        case Kind.TEXT:
            return _EQUALITY | _SETS | _TEXTUAL
        case Kind.BOOLEAN:
            return _EQUALITY
        case Kind.TEXTS:
            return frozenset({Operator.CONTAINS})
        case _:
            return _EQUALITY | _SETS | _ORDER


def _wrong_operator(subject: Field, operator: Operator, span: Span) -> FilterError:
    allowed = [one.value for one in Operator if one in _operators(subject.form)]
    return refusal(
        "wrong_operator",
        span.start,
        span.end,
        operator=operator.value,
        word=subject.label,
        expected=subject.form.kind.value,
        allowed=" ".join(allowed),
    )


def _one(subject: Field, operator: Operator, operand: Operand, span: Span) -> Scalar:
    if isinstance(operand, tuple):
        raise refusal("no_list", span.start, span.end, operator=operator.value)
    value = _scalar(subject, operator, operand)
    if operator is Operator.MATCHES:
        _check_pattern(str(value), operand)
    return value


def _scalar(subject: Field, operator: Operator, constant: Constant) -> Scalar:
    """The constant in the unit of the field."""
    kind = subject.form.kind
    match constant.value:
        case None if operator in _EQUALITY | _SETS:
            _check_null(subject, constant.span)
            return None
        case bool(value) if kind is Kind.BOOLEAN:
            return value
        case str(text) if kind in (Kind.TEXT, Kind.TEXTS):
            return _text(subject, operator, text, constant.span)
        case Quantity(value, unit) if kind.is_numeric:
            if unit not in _units(kind):
                raise _wrong_type("mixed_units", subject, unit.value, constant.span)
            return value
        case _:
            raise _wrong_type("wrong_type", subject, _type_of(constant), constant.span)


def _check_null(subject: Field, span: Span) -> None:
    if not subject.form.is_nullable:
        raise refusal("never_null", span.start, span.end, word=subject.label)


def _text(subject: Field, operator: Operator, text: str, span: Span) -> str:
    if not is_text(text):
        raise refusal("half_character", span.start, span.end)
    words = subject.form.words
    if words and operator in _EQUALITY | _SETS and text not in words:
        allowed = ", ".join(words)
        near = nearest(text, words)
        place = (span.start, span.end)
        raise refusal("unknown_word", *place, near, word=subject.label, allowed=allowed)
    return text


def _units(kind: Kind) -> frozenset[Unit]:
    match kind:
        case Kind.MILLISECONDS:
            return frozenset({Unit.NONE, Unit.DURATION})
        case Kind.BYTES:
            return frozenset({Unit.NONE, Unit.SIZE})
        case _:
            return frozenset({Unit.NONE})


_EXAMPLES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.NUMBER: "write a number without a unit: 3",
        Kind.MILLISECONDS: "write 500ms, 2s, or 500 for milliseconds",
        Kind.BYTES: "write 64KB, or 500 for bytes",
        Kind.BOOLEAN: "write true or false",
        Kind.TEXT: 'write text in quotes: "gpt-4o"',
        Kind.TEXTS: 'write text in quotes: contains "admins"',
    }
)
"""What to write, by what is expected."""


def _wrong_type(code: str, subject: Field, found: str, span: Span) -> FilterError:
    kind = subject.form.kind
    return refusal(
        code,
        span.start,
        span.end,
        word=subject.label,
        expected=kind.value,
        found=found,
        allowed=_EXAMPLES[kind],
    )


def _type_of(constant: Constant) -> str:
    match constant.value:
        case None:
            return "null"
        case bool():
            return Kind.BOOLEAN.value
        case str():
            return Kind.TEXT.value
        case Quantity(_, unit):
            return unit.value


def _check_pattern(pattern: str, constant: Constant) -> None:
    """Raise for a pattern that is not in the rule dialect, at its place where that is known."""
    from kt.patterns.matcher import check_rule  # NOT: at the top. Few filters have a pattern.

    try:
        check_rule(Rule(id="filter", pattern=pattern, view=View.TEXT))
    except PatternError as error:
        place = (constant.span.start, constant.span.end)
        if constant.inside is not None:
            place = (constant.inside + error.start, constant.inside + error.end)
        raise refusal("bad_pattern", *place, problem=error.message, hint=error.hint) from None
