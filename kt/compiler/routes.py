"""Resolve routes: what each one matches, as a condition, and which target it names.

In: routes as written. Out: plan routes in order; the first that matches decides. A route that no
request reaches is reported, with what stands before it.
"""

from collections.abc import Callable, Iterator
from types import MappingProxyType

import attrs

from kt.compiler.conditions import CREDENTIALS
from kt.compiler.fields import Text
from kt.compiler.sections import PathMatch
from kt.compiler.sections import Route as WrittenRoute
from kt.diagnostics import Related, Report
from kt.filters.analysis import reaches
from kt.filters.parser import parse_filter
from kt.filters.printing import show
from kt.filters.refusals import FilterError
from kt.filters.solving import Answer
from kt.filters.structured import Condition, from_structured
from kt.filters.syntax import Always, Comparison, Filter, Operator, all_of
from kt.filters.vocabulary import HEADER, REQUEST
from kt.routing.values import Route

METHOD = "POST"
"""The method of every path that routes are about."""

MOST = 64
"""Of more routes none is judged: each is held against all before it."""

OPERATORS = MappingProxyType(
    {
        PathMatch.PREFIX: Operator.STARTS_WITH,
        PathMatch.EXACT: Operator.EQUAL,
        PathMatch.REGEX: Operator.MATCHES,
    }
)


def resolve_routes(
    written: tuple[WrittenRoute, ...], target: Callable[[Text], str | None], report: Report
) -> tuple[Route, ...]:
    """The routes that are switched on, in order."""
    wanted = [one for one in written if one.enabled is not False]
    routes = tuple(_route(at, one, target, report) for at, one in enumerate(wanted, start=1))
    if len(routes) <= MOST:
        _report_unreached(wanted, routes, report)
    return routes


def _route(
    at: int, written: WrittenRoute, target: Callable[[Text], str | None], report: Report
) -> Route:
    return Route(
        name=f"route {at}" if written.name is None else written.name.value,
        when=all_of(_conditions(written, report)),
        target=None if written.upstream is None else target(written.upstream),
        origin=report.source.place(written.span),
    )


def _conditions(written: WrittenRoute, report: Report) -> Iterator[Filter]:
    if written.path is not None:
        yield from _path(written.path, written.match or PathMatch.PREFIX, report)
    if written.methods and METHOD not in {one.value.upper() for one in written.methods}:
        yield Always(always=False, span=written.methods[0].span)
    if written.model is not None:
        yield _translated(Condition("model", written.model.values, written.span))
    for name, value in written.headers:
        yield from _header(name, value, report)


def _path(path: Text, match: PathMatch, report: Report) -> Iterator[Filter]:
    (tree,) = (_translated(Condition("path", path.value, path.span)),)
    if isinstance(tree, Comparison):
        yield from _checked(attrs.evolve(tree, operator=OPERATORS[match]), path, report)


def _header(name: str, value: Text, report: Report) -> Iterator[Filter]:
    if name.lower() in CREDENTIALS:
        hint = "ask for who the client is: x-user-id, x-team"
        report.add("credential", value.span, word=name, hint=hint)
        return
    inner = Condition(name.lower(), value.value, value.span)
    try:
        yield _translated(Condition(HEADER, (inner,), value.span))
    except FilterError as error:
        report.add(f"filter.{error.code}", value.span, hint=error.hint, message=error.message)


def _translated(condition: Condition) -> Filter:
    return from_structured((condition,), REQUEST)


def _checked(tree: Filter, place: Text, report: Report) -> Iterator[Filter]:
    """The condition, if the filter language can say it: a pattern may be none."""
    try:
        parse_filter(show(tree), REQUEST)
        yield tree
    except FilterError as error:
        report.add(f"filter.{error.code}", place.span, hint=error.hint, message=error.message)


def _report_unreached(
    written: list[WrittenRoute], routes: tuple[Route, ...], report: Report
) -> None:
    for at, reach in enumerate(reaches([one.when for one in routes])):
        if reach.claim.answer is Answer.NO:
            before = tuple(Related(routes[one].name, written[one].span) for one in reach.shadows)
            hint = (
                "leave it out, or move it in front of what matches all of its requests"
                if before
                else f"no request matches it: policies read only {METHOD} requests"
            )
            place = written[at].span
            report.add("route_never", place, word=routes[at].name, hint=hint, related=before)
