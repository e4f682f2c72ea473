"""Where in the tree a finding stands: `policies.chain[0]`."""

from bisect import bisect_right
from typing import TypeAlias

from kt.compiler.tree import Entry, Map, Node, Seq
from kt.diagnostics import clean
from kt.source import Span

Steps: TypeAlias = tuple[str | int, ...]
"""Keys, as they are written, and indexes, counted from zero."""


def steps_to(node: Node, span: Span) -> Steps:
    """The way to the innermost key or value that covers a span; none for the text as a whole."""
    steps: list[str | int] = []
    while span.end > 0:
        step = _step_in(node, span)
        if step is None:
            break
        name, inner = step
        steps.append(name)
        if inner is None:
            break
        node = inner
    return tuple(steps)


def show_steps(steps: Steps) -> str:
    """The steps as people write them."""
    words = (f"[{step}]" if isinstance(step, int) else f".{clean(step)}" for step in steps)
    return "".join(words).removeprefix(".")


def _step_in(node: Node, span: Span) -> tuple[str | int, Node | None] | None:
    """The next step, and where it leads unless it ends there; None where no child covers it."""
    if isinstance(node, Seq):
        # Bisected, because a file may have as many findings as entries.
        index = bisect_right(node.items, span.start, key=_start) - 1
        if index >= 0 and _covers(node.items[index].span, span):
            return index, node.items[index]
    if isinstance(node, Map):
        index = bisect_right(node.entries, span.start, key=_key_start) - 1
        if index >= 0:
            return _step_into(node.entries[index], span)
    return None


def _step_into(entry: Entry, span: Span) -> tuple[str, Node | None] | None:
    if _covers(entry.key.span, span):
        return entry.key.text, None
    return (entry.key.text, entry.value) if _covers(entry.value.span, span) else None


def _covers(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _start(node: Node) -> int:
    return node.span.start


def _key_start(entry: Entry) -> int:
    return entry.key.span.start
