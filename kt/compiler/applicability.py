"""Decide for which requests an entry is, and say where its condition decides nothing.

In: an entry. Out: the plan's condition, None where it is of every request. Never: a claim that is
not proved; what cannot be decided in bounded time is kept as it was written.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from kt.compiler.model import ChainEntry, When
from kt.diagnostics import Related, Report
from kt.filters.analysis import Claim, Reach, reaches, satisfiable
from kt.filters.folding import fold
from kt.filters.printing import show
from kt.filters.solving import Answer
from kt.filters.syntax import Always, And, Filter, Not, Or, all_of, atoms, field_of
from kt.policy import Phase
from kt.source import NOWHERE

NOT_HERE: Mapping[str, tuple[frozenset[Phase], str]] = MappingProxyType(
    {
        "provider.id": (
            frozenset({Phase.INPUT}),
            "the provider is chosen after the input policies: ask for the model, or a header",
        ),
        "user.groups": (
            frozenset(Phase),
            "nobody tells the gateway groups yet: ask for the team, or the role",
        ),
    }
)
"""Fields that no request has in some phases, and what to do."""

MOST_BRANCHES = 16
"""Of a longer `or` the parts are not judged: each is held against all before it."""


def when_of(entry: ChainEntry, phases: Iterable[Phase], report: Report) -> Filter | None:
    """The condition of an entry, as short as it can be proved to be."""
    both = (entry.options.when, entry.options.conditions)
    written = [one for one in both if one is not None]
    tree = all_of(one.tree for one in written)
    if not written or entry.options.enabled is False:
        return tree if written else None
    _report_unknown_here(report, tree, frozenset(phases))
    return _decided(report, entry, written, tree)


def _report_unknown_here(report: Report, tree: Filter, phases: frozenset[Phase]) -> None:
    for atom in atoms(tree):
        field = field_of(atom)
        never_in, hint = NOT_HERE.get(field.name, (frozenset(), ""))
        missed = [phase.value for phase in Phase if phase in never_in & phases]
        if missed:
            report.add("field_not_here", field.span, word=field.label, phase=missed[0], hint=hint)


def _decided(report: Report, entry: ChainEntry, written: list[When], tree: Filter) -> Filter | None:
    can_be_true = satisfiable(tree)
    if can_be_true.answer is Answer.NO:
        _report_never(report, entry, written, can_be_true)
        return Always(always=False)
    is_needless = satisfiable(Not(tree)).answer is Answer.NO
    if is_needless and not any(one.unmeasured for one in written):
        report.add("when_always", written[0].span, word=entry.name, hint="leave it out")
    for one in written:
        _report_idle_branches(report, one.tree)
    return None if is_needless else fold(tree)


def _report_never(report: Report, entry: ChainEntry, written: list[When], claim: Claim) -> None:
    related = tuple(_related(claim.conflict))
    hint = "these cannot hold at once" if len(related) > 1 else None
    report.add("when_never", written[0].span, word=entry.name, hint=hint, related=related)


def _related(trees: Iterable[Filter]) -> Iterator[Related]:
    for tree in trees:
        if tree.span != NOWHERE:
            yield Related(show(tree), tree.span)


def _report_idle_branches(report: Report, tree: Filter) -> None:
    for one in _alternatives(tree):
        if len(one.any_of) <= MOST_BRANCHES:
            for branch, reach in zip(one.any_of, reaches(one.any_of), strict=True):
                if reach.claim.answer is Answer.NO:
                    _report_branch(report, one, branch, reach)


def _alternatives(tree: Filter) -> Iterator[Or]:
    """Every `or` of a filter."""
    match tree:
        case Or(parts):
            yield tree
        case And(parts):
            pass
        case Not(inner):
            parts = (inner,)
        case _:
            parts = ()
    for part in parts:
        yield from _alternatives(part)


def _report_branch(report: Report, whole: Or, branch: Filter, reach: Reach) -> None:
    before = [whole.any_of[at] for at in reach.shadows]
    related = tuple(_related(before or reach.claim.conflict))
    hint = "leave it out: what comes before it is true wherever it is" if before else "leave it out"
    report.add("branch_never", branch.span, word=show(branch), hint=hint, related=related)
