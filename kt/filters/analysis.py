"""What can be known of a filter without a request: never claimed wrongly, and UNKNOWN otherwise.

In: filters of one vocabulary. Out: claims, with facts that show what is possible, or with the
fewest conditions that make it impossible. Fields are taken for independent of each other.

A filter is spread into cases (`cases`), of which one must be possible; a case is possible if every
field by itself is (`solving`).
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import attrs

from kt.filters.cases import Case, Part, cases, conjuncts, options
from kt.filters.facts import FilterFacts
from kt.filters.folding import fold
from kt.filters.forms import Value
from kt.filters.solving import Absent, Answer, Demand, solve
from kt.filters.syntax import Field, Filter, Not, Or, field_of

_OPPOSITE: Mapping[Answer, Answer] = MappingProxyType(
    {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNKNOWN: Answer.UNKNOWN}
)


@attrs.frozen
class Claim:
    """An answer and what shows it."""

    answer: Answer
    example: FilterFacts | None = None
    """Facts for which the filter in question is true."""
    conflict: tuple[Filter, ...] = ()
    """Conditions that cannot all be true; each is needed, as far as can be shown."""


@attrs.frozen
class Reach:
    """Whether one of several filters, of which the first that is true wins, ever wins."""

    claim: Claim
    shadows: tuple[int, ...] = ()
    """For NO: the filters in front of it that leave nothing; none, if it is never true."""


@attrs.frozen
class Analysis:
    """What is known of one filter."""

    folded: Filter
    """The same filter without what never matters."""
    can_be_true: Claim
    can_be_false: Claim
    branches: tuple[Reach, ...]
    """Of an `or`: which of its parts ever decide, in order."""


def analyze(tree: Filter) -> Analysis:
    """Judge one filter."""
    branches = tree.any_of if isinstance(tree, Or) else ()
    return Analysis(fold(tree), satisfiable(tree), satisfiable(Not(tree)), reaches(branches))


def implies(first: Filter, second: Filter) -> Claim:
    """Whether the second is true for all facts for which the first is.

    YES with the conditions of which that follows, NO with facts for which only the first is true.
    """
    found = _judged((Part(first, holds=True), Part(second, holds=False)))
    return attrs.evolve(found, answer=_OPPOSITE[found.answer])


def satisfiable(tree: Filter) -> Claim:
    """Whether there are facts for which the filter is true: these, or why there are none."""
    return _judged((Part(tree, holds=True),))


def reaches(filters: Sequence[Filter]) -> tuple[Reach, ...]:
    """For each filter, whether it can be the first one that is true."""
    return tuple(_reach(filters, index) for index in range(len(filters)))


def _reach(filters: Sequence[Filter], index: int) -> Reach:
    wanted = Part(filters[index], holds=True)
    earlier = tuple(Part(tree, holds=False) for tree in filters[:index])
    found = _judged((wanted, *earlier))
    if found.answer is Answer.YES:
        return Reach(found)
    # One filter that leaves nothing explains more than several that do it together.
    for shadows in ((), *((part,) for part in earlier)):
        if _is_impossible((wanted, *shadows)):
            return Reach(_judged((wanted, *shadows)), tuple(map(earlier.index, shadows)))
    if found.answer is Answer.UNKNOWN:
        return Reach(found)
    together = _needed((wanted,), earlier)
    return Reach(found, tuple(sorted(map(earlier.index, together))))


def _judged(parts: tuple[Part, ...]) -> Claim:
    """Whether all parts can hold at once."""
    spread = cases(parts)
    if spread is None:
        return Claim(Answer.UNKNOWN)
    claims = []
    for case in spread:
        claims.append(_case(case))
        if claims[-1].answer is Answer.YES:
            return claims[-1]
    if any(claim.answer is Answer.UNKNOWN for claim in claims):
        return Claim(Answer.UNKNOWN)
    return Claim(Answer.NO, conflict=tuple(dict.fromkeys(_conflict(parts))))


def _case(case: Case) -> Claim:
    by_field: dict[Field, tuple[Demand, ...]] = {}
    for demand in dict.fromkeys(case):
        field = field_of(demand.atom)
        by_field[field] = (*by_field.get(field, ()), demand)
    values: dict[str, Value] = {}
    answer = Answer.YES
    for field, demands in by_field.items():
        solution = solve(field, demands)
        if solution.answer is Answer.NO:
            return Claim(Answer.NO)
        if solution.answer is Answer.UNKNOWN:
            answer = Answer.UNKNOWN
        if not isinstance(solution.value, Absent):
            values[field.label] = solution.value
    is_shown = answer is Answer.YES
    return Claim(answer, FilterFacts(MappingProxyType(values)) if is_shown else None)


# ---- Why nothing is possible


def _conflict(parts: tuple[Part, ...]) -> Iterator[Filter]:
    """The fewest conditions that cannot hold at once; where one has options, those of each."""
    needed = _needed((), tuple(part for whole in parts for part in conjuncts(whole)))
    choices = options(needed[0]) if len(needed) == 1 else ()
    if len(choices) < 2:
        yield from (part.as_filter() for part in needed)
    for choice in choices if len(choices) > 1 else ():
        yield from _conflict((choice,))


def _needed(given: tuple[Part, ...], parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts without which the impossible would be possible; all, if that cannot be shown."""
    found = _quickly(given, parts, is_new=False)
    return found if _is_impossible((*given, *found)) else parts


def _quickly(given: tuple[Part, ...], parts: tuple[Part, ...], *, is_new: bool) -> tuple[Part, ...]:
    """Halve, and ask of each half what of it is needed beside the other (Junker's QuickXplain)."""
    if is_new and _is_impossible(given):
        return ()
    if len(parts) <= 1:
        return parts
    middle = len(parts) // 2
    first, second = parts[:middle], parts[middle:]
    from_second = _quickly((*given, *first), second, is_new=True)
    from_first = _quickly((*given, *from_second), first, is_new=bool(from_second))
    return (*from_first, *from_second)


def _is_impossible(parts: tuple[Part, ...]) -> bool:
    spread = cases(parts)
    return spread is not None and all(_case(case).answer is Answer.NO for case in spread)
