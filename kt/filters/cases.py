"""A filter spread into cases, each a set of demands on single fields of which all must be met.

Never: pushes `not` into a comparison. What must be false is a demand of its own, which a field
that is not there meets.
"""

from collections.abc import Iterable, Iterator

import attrs

from kt.filters.solving import Demand
from kt.filters.syntax import Always, And, Comparison, Exists, Filter, Not, Or
from kt.source import Span

MAX_CASES = 256
"""A filter that spreads into more is not judged."""

Case = tuple[Demand, ...]


@attrs.frozen
class Part:
    """A filter, and whether it must be true or false."""

    tree: Filter
    holds: bool
    denied_at: Span | None = attrs.field(default=None, eq=False)
    """Where the `not` stands that is not part of the tree any more."""

    def as_filter(self) -> Filter:
        """The same as a filter, at the same place."""
        return self.tree if self.holds else Not(self.tree, self.denied_at or self.tree.span)


def conjuncts(part: Part) -> Iterator[Part]:
    """The parts that must all hold for this one to hold."""
    match part.tree, part.holds:
        case (And(inner), True) | (Or(inner), False):
            for tree in inner:
                yield from conjuncts(Part(tree, part.holds))
        case Not(tree), holds:
            yield from conjuncts(Part(tree, not holds, part.tree.span))
        case _:
            yield part


def options(part: Part) -> tuple[Part, ...]:
    """The parts of which one must hold for this one to hold; itself, where there is no choice."""
    match part.tree, part.holds:
        case (Or(inner), True) | (And(inner), False):
            return tuple(Part(tree, part.holds) for tree in inner)
        case _:
            return (part,)


def cases(parts: Iterable[Part]) -> tuple[Case, ...] | None:
    """The cases of which one must be met for all parts to hold; None when there are too many."""
    found: tuple[Case, ...] = ((),)
    for part in (one for whole in parts for one in conjuncts(whole)):
        more = _cases_of(part)
        if more is None or len(found) * len(more) > MAX_CASES:
            return None
        found = tuple((*before, *after) for before in found for after in more)
    return found


def _cases_of(part: Part) -> tuple[Case, ...] | None:
    match part.tree:
        case Always(value):
            return ((),) if value is part.holds else ()
        case Exists() | Comparison():
            return ((Demand(part.tree, part.holds),),)
        case _:
            found = [cases((option,)) for option in options(part)]
            known = [one for one in found if one is not None]
            spread = tuple(case for one in known for case in one)
            return spread if len(known) == len(found) and len(spread) <= MAX_CASES else None
