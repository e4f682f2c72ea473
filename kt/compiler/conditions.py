"""Read for which requests an entry is: a filter as text, or a map of comparisons.

In: a node. Out: When, with positions in the source. Raises Rejected once every problem of it is in
the report. What a condition comes to is for `applicability`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import attrs

from kt.compiler.leaves import Rejected, read_text, reject
from kt.compiler.model import Pair, When
from kt.compiler.places import between, places_of
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, key_name
from kt.diagnostics import Report
from kt.filters.refusals import FilterError
from kt.filters.structured import Condition, Plain, from_structured
from kt.filters.syntax import And, Comparison, Exists, Field, Filter, Not, Or, atoms
from kt.filters.vocabulary import HEADER, REQUEST
from kt.source import Span

UNMEASURED: Mapping[str, str] = MappingProxyType(
    {"wallet_balance": "there are no wallets yet, so it counts as met"}
)
"""What published configurations compare and nothing can be asked for yet, and why."""

CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key"}
)
"""Headers whose value may be asked for by nobody: it would be in the plan."""

ABOUT_KEYS = frozenset({"unknown_field", "needs_key", "bad_header_name"})
"""What is wrong with the key of a comparison and not with its value."""

Place = Callable[[Span], Span]


def read_when(report: Report, node: Node) -> When:
    """A condition in either form."""
    if isinstance(node, Map):
        return _from_map(report, node)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return When(tree=_checked(report, _from_text(report, node)), span=node.span)
    raise reject(report, node, "a condition as text, or a map of comparisons")


# ---- As text


def _from_text(report: Report, node: Scalar) -> Filter:
    text = read_text(report, node).value
    places = places_of(report.source.text, node)

    def place(span: Span) -> Span:
        return node.span if places is None else between(places, span.start, span.end)

    try:
        from kt.filters.parser import parse_filter  # NOT: at the top. Few configs have filters.

        return _placed(parse_filter(text.rstrip(), REQUEST), place)
    except FilterError as error:
        raise _refused(report, error, place(Span(error.start, error.end))) from None


def _refused(report: Report, error: FilterError, span: Span) -> Rejected:
    report.add(f"filter.{error.code}", span, hint=error.hint, message=error.message)
    return Rejected()


def _placed(tree: Filter, place: Place) -> Filter:
    """The tree with positions in the source."""
    span = place(tree.span)
    match tree:
        case Not(inner):
            return Not(_placed(inner, place), span)
        case And(parts):
            return And(tuple([_placed(part, place) for part in parts]), span)
        case Or(parts):
            return Or(tuple([_placed(part, place) for part in parts]), span)
        case Comparison(field):
            return attrs.evolve(tree, field=_moved(field, place), span=span)
        case Exists(field):
            return Exists(_moved(field, place), span)
        case _:
            return attrs.evolve(tree, span=span)


def _moved(field: Field, place: Place) -> Field:
    return attrs.evolve(field, span=place(field.span))


# ---- As a map


def _from_map(report: Report, node: Map) -> When:
    pairs: list[Pair] = []
    found: list[Condition] = []
    is_whole = True
    for entry, is_header in _compared(node):
        try:
            if key_name(entry.key) in UNMEASURED and not is_header:
                pairs.append(_pair(report, entry))
            else:
                found.append(_condition(report, entry, is_header=is_header))
        except Rejected:
            is_whole = False
    if not is_whole:
        raise Rejected
    tree = _translated(report, found, node.span, node.span)
    return When(tree=_checked(report, tree), unmeasured=tuple(pairs), span=node.span)


def _compared(node: Map) -> Iterator[tuple[Entry, bool]]:
    """What is compared, every header by itself. The order of YAML keys means nothing."""
    for entry in sorted(node.entries, key=_name):
        if key_name(entry.key) == HEADER and isinstance(entry.value, Map):
            yield from ((one, True) for one in sorted(entry.value.entries, key=_header_name))
        else:
            yield entry, False


def _name(entry: Entry) -> str:
    return key_name(entry.key)


def _header_name(entry: Entry) -> str:
    return entry.key.text.lower()


def _condition(report: Report, entry: Entry, *, is_header: bool) -> Condition:
    """One comparison, of which it is sure that it can be made."""
    if key_name(entry.key) == HEADER and not is_header:
        raise reject(report, entry.value, "a map of headers")
    name = _header_name(entry) if is_header else _name(entry)
    span = entry.key.span.covering(entry.value.span)
    made = Condition(name, _plain(report, entry.value), span)
    made = Condition(HEADER, (made,), span) if is_header else made
    _translated(report, (made,), entry.key.span, entry.value.span)
    return made


def _translated(report: Report, found: Sequence[Condition], key: Span, value: Span) -> Filter:
    try:
        return from_structured(found, REQUEST)
    except FilterError as error:
        raise _refused(report, error, key if error.code in ABOUT_KEYS else value) from None


def _plain(report: Report, node: Node) -> Plain | tuple[Plain, ...]:
    if isinstance(node, Seq):
        return tuple(_scalar(report, item) for item in node.items)
    return _scalar(report, node)


def _scalar(report: Report, node: Node) -> Plain:
    if isinstance(node, Scalar):
        return node.value
    raise reject(report, node, "a value or a list of values")


def _pair(report: Report, entry: Entry) -> Pair:
    """A comparison that is kept for who can make it one day."""
    name = key_name(entry.key)
    report.add("not_enforced", entry.key.span, word=entry.key.text, hint=UNMEASURED[name])
    value = _plain(report, entry.value)
    values = value if isinstance(value, tuple) else (value,)
    return Pair(name=name, values=values, span=entry.key.span)


# ---- Both


def _checked(report: Report, tree: Filter) -> Filter:
    """The tree, if the plan may show all that it compares."""
    found = [one for one in atoms(tree) if isinstance(one, Comparison)]
    secret = [one for one in found if one.field.key in CREDENTIALS]
    for atom in secret:
        label = atom.field.label
        report.add("credential", atom.span, word=label, hint=f"write exists({label})")
    if secret:
        raise Rejected
    return tree
