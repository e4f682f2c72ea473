"""Read small values that are more than one scalar: conditions, levels, lists of one.

In: a node. Out: a frozen value of the model. Raises Rejected once a problem is in the report.
"""

from kt.compiler.leaves import Rejected, read_str, read_text, reject
from kt.compiler.model import Condition, Level, Pair, When
from kt.compiler.provider_sections import Share
from kt.compiler.sections import Names
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, key_name
from kt.diagnostics import Report

WHEN = ("path", "header", "model")
"""What a chain entry's `when` may compare."""


def read_names(report: Report, node: Node) -> Names:
    """One word, or a list of words."""
    items = node.items if isinstance(node, Seq) else (node,)
    return Names(tuple(read_str(report, item) for item in items))


def read_level(report: Report, node: Node) -> Level:
    """A number, or a word such as `medium`."""
    value = node.value if isinstance(node, Scalar) else None
    if value is None or isinstance(value, bool):
        raise reject(report, node, "a number or a word")
    return Level(value)


def read_share(report: Report, node: Node) -> Share:
    """A member of a model group that is only named by its id."""
    return Share(id=read_text(report, node))


def read_condition(report: Report, node: Node) -> Condition:
    """Comparisons of any names with scalars; a suffix such as `_gt` says which."""
    if not isinstance(node, Map):
        raise reject(report, node, "a map")
    pairs = [_pair(report, entry.key.text, entry) for entry in node.entries]
    return Condition(pairs=_sorted(pairs), span=node.span)


def read_when(report: Report, node: Node) -> When:
    """Comparisons of path, headers and model."""
    if not isinstance(node, Map):
        raise reject(report, node, "a map")
    pairs: list[Pair] = []
    is_whole = True
    for entry in node.entries:
        try:
            pairs += _compared(report, entry)
        except Rejected:
            is_whole = False
    if not is_whole:
        raise Rejected
    return When(pairs=_sorted(pairs), span=node.span)


def _compared(report: Report, entry: Entry) -> list[Pair]:
    name = key_name(entry.key)
    if name not in WHEN:
        hint = report.suggest(name, WHEN) or f"use {', '.join(WHEN)}"
        report.add("unknown_key", entry.key.span, word=entry.key.text, hint=hint)
        raise Rejected
    if name == "path":
        return [Pair(name=name, values=(read_str(report, entry.value),), span=entry.key.span)]
    if name == "model":
        values = read_names(report, entry.value).values
        return [Pair(name=name, values=values, span=entry.key.span)]
    if not isinstance(entry.value, Map):
        raise reject(report, entry.value, "a map of headers")
    return [_header(report, one) for one in entry.value.entries]


def _header(report: Report, entry: Entry) -> Pair:
    name = f'header["{entry.key.text.lower()}"]'
    return Pair(name=name, values=(read_str(report, entry.value),), span=entry.key.span)


def _pair(report: Report, name: str, entry: Entry) -> Pair:
    items = entry.value.items if isinstance(entry.value, Seq) else (entry.value,)
    values = tuple(_scalar(report, item) for item in items)
    return Pair(name=name, values=values, span=entry.key.span)


def _scalar(report: Report, node: Node) -> str | int | float | bool:
    value = node.value if isinstance(node, Scalar) else None
    if value is None:
        raise reject(report, node, "a word, a number or true or false")
    return value


def _sorted(pairs: list[Pair]) -> tuple[Pair, ...]:
    """By name: the order of YAML keys means nothing."""
    return tuple(sorted(pairs, key=_name))


def _name(pair: Pair) -> str:
    return pair.name


COMPOUNDS = (
    (Names, read_names),
    (Level, read_level),
    (Condition, read_condition),
    (When, read_when),
)
"""Type -> how it is read."""
