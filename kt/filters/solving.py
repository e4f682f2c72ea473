"""One field under several demands: a value that meets them all, or that there is none.

In: demands on one field, each an atom that must be true or must be false. Out: an Answer, and for
YES a value, or ABSENT. Never: a YES whose value the evaluator rejects, a NO that some value meets.

Theory of operation. A finite list of candidates is tried, by evaluating the demands; YES is never
anything else. NO needs that the list is exhaustive: it has a value from every class of values that
the demands cannot tell apart. Such lists exist for all forms, with two exceptions. Absence and null
are classes of their own, always tried.
Numbers: the constants, and one number from each gap between them.
Lists of texts: the list of all texts that must be in it; a longer one is only worse.
Texts that may only be one of some constants: these.
Other texts: one text. It begins with the longest beginning that is demanded, ends in the longest
end, has in between all that it must contain, and between these a letter that no constant has. If
the demanded beginnings contradict, none will do. Otherwise this text meets all that is demanded of
beginnings, ends and contents, and whatever forbidden beginning, end, content or text it has, every
text that meets the demands has too, since the letter keeps the parts from forming anything new.
The exceptions: a pattern may reject that one text and accept others, and between two numbers that
are next to each other in floating point no candidate may be found. Then the answer is UNKNOWN.
"""

import functools
import math
from collections.abc import Iterable, Iterator
from enum import Enum
from fractions import Fraction
from itertools import chain, count, pairwise
from types import MappingProxyType

import attrs

from kt.filters.evaluation import compile_filter
from kt.filters.facts import FilterFacts
from kt.filters.forms import Form, Kind, Scalar, Value, belongs
from kt.filters.syntax import Atom, Comparison, Field, Operator, field_of
from kt.patterns.samples import samples
from kt.policy import Rule, View

WORDS = 16
"""How many texts that a pattern finds are tried."""


class Answer(Enum):
    """What is known of a claim."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Absent(Enum):
    """The field is not there."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT

Candidate = Value | Absent


@attrs.frozen
class Demand:
    """An atom, and whether it must be true or false."""

    atom: Atom
    holds: bool


@attrs.frozen
class Solution:
    """What is known, and for YES the value."""

    answer: Answer
    value: Candidate = ABSENT


@attrs.frozen
class _Candidates:
    values: tuple[Candidate, ...]
    is_exhaustive: bool = True


def solve(field: Field, demands: tuple[Demand, ...]) -> Solution:
    """Find a value of the field that meets all demands, which are all about it."""
    tried = _try(field, demands)
    if tried.answer is not Answer.UNKNOWN:
        return tried
    # A demand that is weakened, and still cannot be met, cannot be met.
    weaker = tuple(map(_without_pattern, demands))
    if _is_asked_both_ways(demands) or _try(field, weaker).answer is Answer.NO:
        return Solution(Answer.NO)
    return tried


def _try(field: Field, demands: tuple[Demand, ...]) -> Solution:
    candidates = _candidates(field.form, demands)
    tests = [(compile_filter(demand.atom), demand.holds) for demand in demands]
    for value in candidates.values:
        facts = _only(field, value)
        if all(test(facts) is holds for test, holds in tests):
            return Solution(Answer.YES, value)
    return Solution(Answer.NO if candidates.is_exhaustive else Answer.UNKNOWN)


def _only(field: Field, value: Candidate) -> FilterFacts:
    values = {} if isinstance(value, Absent) else {field.label: value}
    return FilterFacts(MappingProxyType(values))


def _without_pattern(demand: Demand) -> Demand:
    """What a demand for a pattern still says when the pattern is forgotten."""
    if not _is_pattern(demand):
        return demand
    field = field_of(demand.atom)
    if demand.holds:
        return Demand(Comparison(field, Operator.CONTAINS, ""), holds=True)
    return Demand(Comparison(field, Operator.IN, ()), holds=False)


def _is_asked_both_ways(demands: tuple[Demand, ...]) -> bool:
    asked = {demand.atom for demand in demands if _is_pattern(demand) and demand.holds}
    return any(demand.atom in asked for demand in demands if not demand.holds)


def _is_pattern(demand: Demand) -> bool:
    return isinstance(demand.atom, Comparison) and demand.atom.operator is Operator.MATCHES


# ---- Candidates


def _candidates(form: Form, demands: tuple[Demand, ...]) -> _Candidates:
    """Candidates that the field can have, absence and null among them."""
    found = _present(form, demands)
    possible = (value for value in (None, *found.values) if belongs(value, form))
    return _Candidates((ABSENT, *dict.fromkeys(possible)), found.is_exhaustive)


def _present(form: Form, demands: tuple[Demand, ...]) -> _Candidates:
    match form.kind:
        case Kind.BOOLEAN:
            return _Candidates((True, False))
        case Kind.TEXTS:
            return _Candidates((frozenset(_demanded(demands, Operator.CONTAINS)),))
        case Kind.TEXT:
            return _texts(form, demands)
        case _:
            return _numbers(form, demands)


def _constants(demands: Iterable[Demand]) -> Iterator[Scalar]:
    for demand in demands:
        if isinstance(demand.atom, Comparison):
            value = demand.atom.value
            yield from value if isinstance(value, tuple) else (value,)


def _numbers(form: Form, demands: tuple[Demand, ...]) -> _Candidates:
    constants = {value for value in _constants(demands) if isinstance(value, int | float)}
    points = sorted(constants | ({0} if form.minimum is None else {form.minimum}))
    gaps = [_between(low, high, form) for low, high in pairwise(points)]
    outside = (math.floor(points[0]) - 1, math.floor(points[-1]) + 1)
    inside = [gap for gap in gaps if gap is not None]
    is_exhaustive = form.is_whole or len(inside) == len(gaps)
    return _Candidates((*points, *outside, *inside), is_exhaustive)


def _between(low: float, high: float, form: Form) -> int | float | None:
    """A number between two others; None where there is none, or none was found."""
    whole = math.floor(low) + 1
    if whole < high:
        return whole
    middle = float((Fraction(low) + Fraction(high)) / 2)
    return middle if low < middle < high and not form.is_whole else None


def _texts(form: Form, demands: tuple[Demand, ...]) -> _Candidates:
    if form.words:
        return _Candidates(form.words)
    only = tuple(_only_ones(demands))
    if only:
        return _Candidates(tuple(_constants(only)))
    constants = [value for value in _constants(demands) if isinstance(value, str)]
    patterns = _demanded(demands, Operator.MATCHES)
    built = _built(demands, constants, [word for pattern in patterns for word in _words(pattern)])
    return _Candidates((*built, *constants), not any(map(_is_pattern, demands)))


def _only_ones(demands: tuple[Demand, ...]) -> Iterator[Demand]:
    """Demands that nothing meets but their constants, and absence."""
    for demand in demands:
        if isinstance(demand.atom, Comparison):
            positive = demand.atom.operator in (Operator.EQUAL, Operator.IN)
            negative = demand.atom.operator in (Operator.NOT_EQUAL, Operator.NOT_IN)
            if positive if demand.holds else negative:
                yield demand


def _built(demands: tuple[Demand, ...], constants: list[str], words: list[str]) -> Iterator[str]:
    """The one text of the theory above, and guesses at what patterns match."""
    start = max(_demanded(demands, Operator.STARTS_WITH), key=len, default="")
    end = max(_demanded(demands, Operator.ENDS_WITH), key=len, default="")
    letter = _letter_outside(constants)
    parts = [start, *_demanded(demands, Operator.CONTAINS), end]
    yield letter.join(parts)
    for word in words:
        yield word
        yield start + word + end
        yield letter.join([start, word, *parts[1:]])


def _letter_outside(texts: list[str]) -> str:
    """A character that is in none of the texts."""
    used = frozenset(chain.from_iterable(texts))
    return next(one for one in map(chr, count(ord("a"))) if one not in used)


def _demanded(demands: tuple[Demand, ...], operator: Operator) -> tuple[str, ...]:
    """The texts of comparisons of one operator that must hold."""
    return tuple(
        demand.atom.value
        for demand in demands
        if demand.holds
        and isinstance(demand.atom, Comparison)
        and demand.atom.operator is operator
        and isinstance(demand.atom.value, str)
    )


@functools.lru_cache(maxsize=64)
def _words(pattern: str) -> tuple[str, ...]:
    """Texts in which the pattern is found; none may be known."""
    found = samples(Rule(id="filter", pattern=pattern, view=View.TEXT), WORDS)
    return tuple(dict.fromkeys(found))
