"""A filter without what never matters: constants, repetitions, comparisons that nothing meets.

In: a filter. Out: one that is true for the same facts. Never: longer, or another when folded again.
"""

from kt.filters.solving import Answer, Demand, solve
from kt.filters.syntax import (
    Always,
    And,
    Atom,
    Comparison,
    Exists,
    Filter,
    Not,
    Or,
    all_of,
    any_of,
    field_of,
)


def fold(tree: Filter) -> Filter:
    """Leave out what never matters."""
    match tree:
        case Always():
            return tree
        case Exists() | Comparison():
            return _atom(tree)
        case Not(inner):
            return _not(fold(inner), tree)
        case And(parts):
            return _joined(parts, tree, decides=False)
        case Or(parts):
            return _joined(parts, tree, decides=True)


def _atom(tree: Atom) -> Filter:
    # NOT: always true. Every field may be absent.
    met = solve(field_of(tree), (Demand(tree, holds=True),))
    return Always(always=False, span=tree.span) if met.answer is Answer.NO else tree


def _not(inner: Filter, tree: Not) -> Filter:
    match inner:
        case Always(value):
            return Always(not value, tree.span)
        case Not(negated):
            return negated
        case _:
            return Not(inner, tree.span)


def _joined(parts: tuple[Filter, ...], tree: And | Or, *, decides: bool) -> Filter:
    """Join the parts; one that is constantly `decides` decides, the other constant is left out."""
    folded = dict.fromkeys(fold(part) for part in parts)
    if Always(decides) in folded:
        return Always(decides, tree.span)
    kept = [part for part in folded if part != Always(not decides)]
    return any_of(kept, tree.span) if decides else all_of(kept, tree.span)
