"""The settings of policy kinds: their names, their common flags, what they say of themselves.

In: entries of the `policy` section. Out: what `structure` puts into a Block. Never: anything
that only one kind has; kinds come as a table.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from kt.compiler.kind_names import KIND_OF, canonical_word
from kt.compiler.leaves import Rejected
from kt.compiler.model import FailFlags
from kt.compiler.places import span_inside
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, key_name
from kt.diagnostics import CODES, Related, Report
from kt.errors import HouseBug
from kt.policies import PolicyKind, Problem
from kt.policy import OnTrouble
from kt.source import Span

Kinds: TypeAlias = Mapping[str, type[PolicyKind]]

_FLAGS = frozenset({"fail_open", "fail_closed"})
_STEP = re.compile(r"[^.\[\]]+|\[[0-9]+\]")


def find_kind(report: Report, kinds: Kinds, scalar: Scalar) -> str:
    """The canonical name of a kind that is written with `-` or `_`, or as lists call it."""
    word = canonical_word(scalar.text)
    name = KIND_OF.get(word, word)
    if name in kinds:
        return name
    hint = report.suggest(name, kinds) or "'kt config schema' lists the kinds that there are"
    report.add("unknown_kind", scalar.span, word=scalar.text, hint=hint)
    raise Rejected


def split_flags(block: Map) -> tuple[Map, Map]:
    """What every kind accepts, and what is the kind's own."""
    flags = tuple(entry for entry in block.entries if key_name(entry.key) in _FLAGS)
    own = tuple(entry for entry in block.entries if key_name(entry.key) not in _FLAGS)
    return attrs.evolve(block, entries=flags), attrs.evolve(block, entries=own)


def on_trouble(report: Report, written: Map, flags: FailFlags) -> OnTrouble | None:
    """What the flags decide, None where they leave it to the gateway."""
    if flags.fail_open is not None and flags.fail_open == flags.fail_closed:
        first, *_, last = sorted((entry.key.span for entry in written.entries), key=_start)
        related = (Related("first given", first),)
        report.add("trouble_contradiction", last, hint="keep one of them", related=related)
        raise Rejected
    if flags.fail_open is None and flags.fail_closed is None:
        return None
    is_open = flags.fail_open or flags.fail_closed is False
    return OnTrouble.ALLOW if is_open else OnTrouble.BLOCK


def _start(span: Span) -> int:
    return span.start


def report_problems(report: Report, policy: PolicyKind, block: Entry) -> None:
    """Report what a policy finds wrong in its own settings, where it was written."""
    for problem in policy.problems():
        name, span = _code_name(problem), _span(report.source.text, problem, block)
        report.add(name, span, hint=problem.hint, word=problem.field, message=problem.message)


def _code_name(problem: Problem) -> str:
    if problem.code_name == "not_enforced":
        return "not_enforced"
    family = "policy" if problem.start is None else "pattern"
    name = f"{family}.{problem.code_name}" + (".warning" if problem.is_warning else "")
    if name not in CODES:
        raise HouseBug(f"no code for '{name}'")
    return name


def _span(text: str, problem: Problem, block: Entry) -> Span:
    """The position inside a string where that is known, else of the value, else of the key."""
    place, node = _find(problem.field, block)
    if not isinstance(node, Scalar) or (problem.is_warning and problem.start is None):
        return place
    if problem.start is None:
        return node.span if node.span.end > node.span.start else place
    end = problem.start + 1 if problem.end is None else problem.end
    return span_inside(text, node, problem.start, end)


def _find(field: str, block: Entry) -> tuple[Span, Node]:
    """The key nearest to a dotted field, and the node found on its way."""
    place, node = block.key.span, block.value
    for step in _STEP.findall(field):
        if isinstance(node, Map) and (entry := node.get(step.replace("-", "_"))) is not None:
            place, node = entry.key.span, entry.value
        elif isinstance(node, Seq) and step[1:-1].isdigit() and int(step[1:-1]) < len(node.items):
            node = node.items[int(step[1:-1])]
            place = node.span
        else:
            break
    return place, node
