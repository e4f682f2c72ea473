"""Read small values that are more than one scalar: conditions, levels, lists of one.

In: a node. Out: a frozen value of the model. Raises Rejected once a problem is in the report.
"""

from kt.compiler.leaves import read_str, read_text, reject
from kt.compiler.model import Level, When
from kt.compiler.provider_sections import Share
from kt.compiler.sections import Names
from kt.compiler.tree import Node, Scalar, Seq
from kt.diagnostics import Report


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
    return Share(id=read_text(report, node), span=node.span)


def read_when(report: Report, node: Node) -> When:
    """A condition on requests."""
    from kt.compiler.conditions import read_when as read  # NOT: at the top. Few entries have one.

    return read(report, node)


COMPOUNDS = (
    (Names, read_names),
    (Level, read_level),
    (When, read_when),
)
"""Type -> how it is read."""
