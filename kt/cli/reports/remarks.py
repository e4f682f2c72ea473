"""Findings as the product numbers them: E001 to E003 beside our codes, each with its path.

E001 is a kind that is not known, E002 a key that a kind does not have, E003 a kind of the chain
without a section of its own: that one compiles, as in published examples, and is a warning.
"""

from collections.abc import Iterator

import attrs

from kt.cli.reports.findings import UNREADABLE, Place, Summary, encodable, place_of, summarize
from kt.cli.reports.paths import Steps, show_steps, steps_to
from kt.compiler.program import Program
from kt.compiler.reader import read
from kt.compiler.schema_types import keys_at
from kt.compiler.tree import Map, Node, Scalar, Seq, key_name
from kt.diagnostics import Diagnostic, Report, clean
from kt.policies import KINDS

UNKNOWN_KIND = "E001"
UNKNOWN_KEY = "E002"
NO_SECTION = "E003"


@attrs.frozen(kw_only=True)
class Remark:
    """One finding in the product's form."""

    code: str
    kt_code: str | None
    """Our code, where there is one."""
    path: str
    message: str
    suggestion: str | None
    place: Place | None


@attrs.frozen(kw_only=True)
class LintReport:
    """Everything about one file, in the product's form."""

    file: str
    summary: Summary | None = None
    """None where the file does not compile."""
    errors: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


def lint_report(file: str, report: Report, program: Program | None) -> LintReport:
    """What the compiler found in a file; no program where it found errors."""
    tree = read(report.source, Report(report.source))
    missing = () if program is None else tuple(_without_section(report, tree))
    return LintReport(
        file=encodable(file),
        summary=None if program is None else summarize(program),
        errors=tuple(_remark(report, tree, one) for one in report.errors),
        warnings=(*(_remark(report, tree, one) for one in report.warnings), *missing),
    )


def unreadable_lint(file: str, message: str, hint: str) -> LintReport:
    """A file of which nothing is known but why."""
    remark = Remark(
        code=UNREADABLE,
        kt_code=None,
        path="",
        message=_sentence(message),
        suggestion=_sentence(hint),
        place=None,
    )
    return LintReport(file=encodable(file), errors=(remark,))


def _remark(report: Report, tree: Node | None, found: Diagnostic) -> Remark:
    steps = () if tree is None else steps_to(tree, found.span)
    code, message, suggestion = found.code.number, found.message, found.hint
    if found.name == "unknown_kind":
        code = UNKNOWN_KIND
    elif found.name == "unknown_key" and steps[:1] == ("policy",) and len(steps) > 2:
        code = UNKNOWN_KEY
        message = f"{message} in {show_steps(steps[:-1])}"
        suggestion = _valid_keys(steps, suggestion)
    return Remark(
        code=code,
        kt_code=found.code.number,
        path=show_steps(steps),
        message=_sentence(message),
        suggestion=None if suggestion is None else _sentence(suggestion),
        place=place_of(report.source, found.span),
    )


def _valid_keys(steps: Steps, hint: str | None) -> str | None:
    """What a part of a kind's section accepts."""
    name = str(steps[1]).replace("_", "-")
    kind = KINDS.get(name)
    valid = ", ".join(sorted(keys_at(kind, steps[2:-1])))
    listed = f"Valid keys are: {valid}" if valid else None
    return f"{hint} {listed}" if hint and listed else hint or listed


def _without_section(report: Report, tree: Node | None) -> Iterator[Remark]:
    """A warning for every kind of the chain that runs on its defaults."""
    sections = _value(tree, "policy")
    given = {key_name(one.key) for one in sections.entries} if isinstance(sections, Map) else set()
    chain = _value(_value(tree, "policies"), "chain")
    for index, item in enumerate(chain.items if isinstance(chain, Seq) else ()):
        kind = _kind(item)
        if kind is not None and key_name(kind) not in given:
            name = clean(kind.text)
            yield Remark(
                code=NO_SECTION,
                kt_code=None,
                path=f"policies.chain[{index}]",
                message=f"Policy '{name}' is in chain but has no config block",
                suggestion=f"Add a 'policy.{name}' section, or leave it on its defaults",
                place=place_of(report.source, kind.span),
            )


def _kind(item: Node) -> Scalar | None:
    if isinstance(item, Map):
        return item.entries[0].key if item.entries else None
    return item if isinstance(item, Scalar) else None


def _value(node: Node | None, name: str) -> Node | None:
    entry = node.get(name) if isinstance(node, Map) else None
    return None if entry is None else entry.value


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
