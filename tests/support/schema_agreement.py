"""When a configuration's shape is wrong: what the JSON Schema promises to refuse."""

from collections.abc import Iterator
from types import MappingProxyType

import attrs

from kt.cli.reports.paths import Steps, steps_to
from kt.compiler.entries import LOOKED_FOR, OPTIONS
from kt.compiler.reader import read
from kt.compiler.structure import REFUSED, structure
from kt.compiler.tree import Map, Node, Scalar, Seq, nodes
from kt.compiler.variables import fill
from kt.diagnostics import Diagnostic, Report
from kt.policies import KINDS
from kt.source import Source, Span

SHAPE_CODES = frozenset(
    {
        "wrong_type",
        "unknown_key",
        "missing_key",
        "unknown_word",
        "bad_duration",
        "bad_size",
        "out_of_range",
        "bad_chain_entry",
        *REFUSED,
        "bad_length",
        "unknown_kind",
    }
)
"""What `structure` reports of a single value or key. Not of two that contradict each other, and not
what a kind or a check says of values whose shape is right."""

ENVIRONMENT = MappingProxyType({"X": "zzz"})

LISTS = ("policies", "input-policies", "output-policies")
HEAD = frozenset({"name", "version", "enabled"})


def shape_errors(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The shape codes of a text, and those of them that the schema promises to find."""
    source = Source("kt.yaml", text)
    report = Report(source)
    tree = read(source, report)
    if tree is None or report.errors:
        return frozenset(), frozenset()
    filled = fill(tree, ENVIRONMENT, report)
    if filled is None:
        return frozenset(), frozenset()
    structure(filled.tree, KINDS, report)
    wrong = [one for one in report.errors if one.name in SHAPE_CODES]
    own = filled_spans(filled.tree)
    promised = {
        one.name
        for one in wrong
        if one.span not in own and not is_left_to_the_compiler(filled.tree, one)
    }
    return frozenset(one.name for one in wrong), frozenset(promised)


def filled_spans(tree: Map) -> frozenset[Span]:
    """Where a value comes from a variable: what it is shows only where it is compiled."""
    scalars = (node for node in nodes(tree) if isinstance(node, Scalar))
    return frozenset(one.span for one in scalars if one.is_filled)


def is_left_to_the_compiler(tree: Map, error: Diagnostic) -> bool:
    """Whether name or content decide what may stand where an error is."""
    steps = tuple(
        one.replace("_", "-") if isinstance(one, str) else one for one in steps_to(tree, error.span)
    )
    return is_single(tree) or is_in_item(tree, steps) or is_shared_key(steps)


def is_single(tree: Map) -> bool:
    """Whether a document is about one policy."""
    policy = tree.get("policy")
    value = None if policy is None else policy.value
    return isinstance(value, Map) and any(one.key.text in HEAD for one in value.entries)


def is_in_item(tree: Map, steps: Steps) -> bool:
    """Whether a place is in an item that has its kind from its name, its type or its content."""
    if not below_lists(steps):
        return False
    nodes = list(along(tree, steps))
    item = next(
        (node for node, step in zip(nodes[1:], steps, strict=False) if isinstance(step, int)), None
    )
    if not isinstance(item, Map):
        return False
    return any(one.key.text in LIST_KEYS for one in item.entries)


def below_lists(steps: Steps) -> Steps:
    """The way from a list of policies on: an item's index and what follows; else none."""
    if steps[:1] not in {(name,) for name in LISTS}:
        return ()
    return steps[2:] if steps[1:2] == ("chain",) else steps[1:]


def along(node: Node, steps: Steps) -> Iterator[Node]:
    """The nodes on a way, the first one too."""
    yield node
    for step in steps:
        if isinstance(node, Seq) and isinstance(step, int):
            node = node.items[step]
        elif isinstance(node, Map) and isinstance(step, str):
            entry = node.get(step.replace("-", "_"))
            node = node if entry is None else entry.value
        yield node


def is_shared_key(steps: Steps) -> bool:
    """Whether a key below a kind in a chain or list means different things for different kinds."""
    place = below_lists(steps)
    if len(place) < 3:
        return False
    key = str(place[2]).replace("-", "_")
    return key in LOOKED_FOR or key in OPTIONS & FIELDS


LIST_KEYS = OPTIONS | {"type", "config", *LOOKED_FOR, "rules"}
FIELDS = frozenset(
    one.name
    for kind in KINDS.values()
    for one in attrs.fields(kind)  # type: ignore[arg-type]
)
