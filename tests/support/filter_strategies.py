"""Filters and facts for the laws of kt/filters, and the reference that judges them.

The reference walks the tree and asks by the definitions of design section 6: no closures, no cases,
no cleverness. Every field of the small vocabulary has a small domain: all constants that filters
here are made of, their neighbors, null and absence.
"""

import itertools
import re
from collections.abc import Iterator
from types import MappingProxyType

from hypothesis import strategies as st

from kt.filters.facts import FilterFacts
from kt.filters.forms import Form, Kind, Scalar, Value
from kt.filters.syntax import (
    Always,
    And,
    Atom,
    Comparison,
    Exists,
    Field,
    Filter,
    Not,
    Operator,
    Or,
    all_of,
    any_of,
    fields_of,
)
from kt.filters.vocabulary import HEADER, Entry, Vocabulary

WHOLE = Form(Kind.NUMBER, is_nullable=True, is_whole=True, minimum=0)
REAL = Form(Kind.MILLISECONDS, is_nullable=True)
FROM_ZERO = Form(Kind.BYTES, minimum=0)
TEXT = Form(Kind.TEXT, is_nullable=True)
WORD = Form(Kind.TEXT, words=("a", "ab", "b"))
TRUTH = Form(Kind.BOOLEAN, is_nullable=True)
GROUPS = Form(Kind.TEXTS)

SMALL = Vocabulary(
    "test",
    (
        Entry("whole", WHOLE, ""),
        Entry("real", REAL, ""),
        Entry("from_zero", FROM_ZERO, ""),
        Entry("text", TEXT, ""),
        Entry("word", WORD, ""),
        Entry("truth", TRUTH, ""),
        Entry("groups", GROUPS, ""),
        Entry(HEADER, Form(Kind.TEXT), ""),
    ),
)

NUMBERS = (-1, 0, 1, 2, 3, 0.5, 1.5)
TEXTS = ("", "a", "b", "ab", "ba", "aa", "bb")
PATTERNS = ("a", "^a", "b$", "^ab$", "[ab]+", "a.b", "^[^ab]", "(?i)A")

_NEIGHBORS = sorted({number + step for number in NUMBERS for step in (-1, -0.25, 0, 0.25)})
_LONG_TEXTS = [
    "".join(letters) for size in range(4) for letters in itertools.product("abz", repeat=size)
]

DOMAINS: dict[Kind, tuple[Value, ...]] = {
    Kind.NUMBER: tuple(range(6)),
    Kind.MILLISECONDS: tuple(_NEIGHBORS),
    Kind.BYTES: tuple(number for number in _NEIGHBORS if number >= 0),
    Kind.TEXT: (*_LONG_TEXTS, "azab", "abza", "abzb", "bzaa", "aabb"),
    Kind.BOOLEAN: (True, False),
    Kind.TEXTS: tuple(
        frozenset(chosen)
        for size in range(4)
        for chosen in itertools.combinations(("a", "b", "ab", "z"), size)
    ),
}


def domain(field: Field) -> list[tuple[tuple[str, Value], ...]]:
    """What the facts may say of one field: nothing, or one value."""
    values = DOMAINS[field.form.kind]
    if field.form.words:
        values = field.form.words
    if field.form.is_nullable:
        values = (None, *values)
    return [(), *(((field.label, value),) for value in values)]


def every_facts(*trees: Filter) -> Iterator[FilterFacts]:
    """All combinations of the domains of the fields that the filters name."""
    fields = sorted(frozenset().union(*map(fields_of, trees)), key=lambda field: field.label)
    for chosen in itertools.product(*map(domain, fields)):
        yield FilterFacts(MappingProxyType(dict(itertools.chain.from_iterable(chosen))))


# ---- The reference


def holds(tree: Filter, facts: FilterFacts) -> bool:
    """Whether a filter is true of facts, by the definition."""
    match tree:
        case Always(value):
            return value
        case Exists(field):
            return field.label in facts.values
        case Comparison(field, operator, value):
            if field.label not in facts.values:
                return False
            return _compares(facts.values[field.label], operator, value)
        case Not(inner):
            return not holds(inner, facts)
        case And(parts):
            return all(holds(part, facts) for part in parts)
        case Or(parts):
            return any(holds(part, facts) for part in parts)


def _compares(found: Value, operator: Operator, value: Scalar | tuple[Scalar, ...]) -> bool:
    match operator:
        case Operator.EQUAL:
            return found == value
        case Operator.NOT_EQUAL:
            return found != value
        case Operator.IN | Operator.NOT_IN:
            assert isinstance(value, tuple)
            return any(found == item for item in value) is (operator is Operator.IN)
    if found is None:
        return False
    if isinstance(found, frozenset):
        return value in found
    if isinstance(found, str):
        return _text_compares(found, operator, str(value))
    assert isinstance(value, int | float)
    return {
        Operator.LESS: found < value,
        Operator.LESS_OR_EQUAL: found <= value,
        Operator.GREATER: found > value,
        Operator.GREATER_OR_EQUAL: found >= value,
    }[operator]


def _text_compares(found: str, operator: Operator, value: str) -> bool:
    match operator:
        case Operator.CONTAINS:
            return value in found
        case Operator.STARTS_WITH:
            return found[: len(value)] == value
        case Operator.ENDS_WITH:
            return value == "" or found[-len(value) :] == value
        case _:
            return re.search(value, found) is not None


# ---- Strategies


def _field(name: str) -> Field:
    entry = SMALL.find(name)
    assert entry is not None
    return Field(name, "x-a" if name == HEADER else None, entry.form)


def _constants(form: Form) -> tuple[Scalar, ...]:
    match form.kind:
        case Kind.BOOLEAN:
            return (True, False)
        case Kind.TEXT | Kind.TEXTS:
            return form.words or TEXTS
        case _:
            return NUMBERS


def _operators(form: Form) -> list[Operator]:
    equality = [Operator.EQUAL, Operator.NOT_EQUAL]
    sets = [Operator.IN, Operator.NOT_IN]
    parts = [Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.MATCHES]
    order = [Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL]
    match form.kind:
        case Kind.BOOLEAN:
            return equality
        case Kind.TEXTS:
            return [Operator.CONTAINS]
        case Kind.TEXT:
            return equality + sets + parts
        case _:
            return equality + sets + order


@st.composite
def atoms_of(draw: st.DrawFn, name: str) -> Atom:
    """A question about one field."""
    field = _field(name)
    operator = draw(st.sampled_from([None, *_operators(field.form)]))
    constants = _constants(field.form)
    with_null = (*constants, None) if field.form.is_nullable else constants
    match operator:
        case None:
            return Exists(field)
        case Operator.MATCHES:
            return Comparison(field, operator, draw(st.sampled_from(PATTERNS)))
        case Operator.IN | Operator.NOT_IN:
            values = draw(st.lists(st.sampled_from(with_null), max_size=3))
            return Comparison(field, operator, tuple(values))
        case Operator.EQUAL | Operator.NOT_EQUAL:
            return Comparison(field, operator, draw(st.sampled_from(with_null)))
        case Operator.CONTAINS | Operator.STARTS_WITH | Operator.ENDS_WITH:
            return Comparison(field, operator, draw(st.sampled_from(TEXTS)))
        case _:
            return Comparison(field, operator, draw(st.sampled_from(constants)))


def _larger(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(several.map(all_of), several.map(any_of), inner.map(Not))


@st.composite
def filters(draw: st.DrawFn, max_leaves: int = 6) -> Filter:
    """A filter over at most two fields, so that contradictions are frequent."""
    names = draw(st.lists(st.sampled_from(SMALL.names), min_size=1, max_size=2))
    asked = st.one_of(*map(atoms_of, names))
    leaves = st.one_of(asked, asked, asked, asked, st.builds(Always, st.booleans()))
    return draw(st.recursive(leaves, _larger, max_leaves=max_leaves))


@st.composite
def conjunctions(draw: st.DrawFn) -> Filter:
    """Questions about one or two fields, some of them denied, that must all hold."""
    names = draw(st.lists(st.sampled_from(SMALL.names), min_size=1, max_size=2))
    asked = st.one_of(*map(atoms_of, names))
    return all_of(draw(st.lists(st.one_of(asked, asked, asked.map(Not)), min_size=1, max_size=6)))


def has_pattern(tree: Filter) -> bool:
    """Whether a `matches` is in it, about which the analysis may know nothing."""
    match tree:
        case Comparison(_, operator):
            return operator is Operator.MATCHES
        case Not(inner):
            return has_pattern(inner)
        case And(parts) | Or(parts):
            return any(map(has_pattern, parts))
        case Always() | Exists():
            return False


def with_not_pushed_inwards(tree: Filter) -> Filter:
    """A planted bug: `not x == 1` read as `x != 1`, which forgets absence."""
    match tree:
        case Not(Comparison(field, Operator.EQUAL, value)):
            return Comparison(field, Operator.NOT_EQUAL, value)
        case Not(inner):
            return Not(with_not_pushed_inwards(inner))
        case And(parts):
            return all_of(map(with_not_pushed_inwards, parts))
        case Or(parts):
            return any_of(map(with_not_pushed_inwards, parts))
        case _:
            return tree
