"""Demand that a kind runs at most once in a phase."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.compiler.phases import phases_of
from kt.diagnostics import Related, Report
from kt.policy import Phase
from kt.source import Span


def once_per_phase(config: Config, kinds: Kinds, report: Report) -> None:
    """Report every entry that would run where an earlier one of its kind runs already."""
    first: dict[tuple[str, Phase], Span] = {}
    for entry in config.policies.chain:
        kind = entry.kind.value
        phases = phases_of(entry, kinds)
        taken = [phase for phase in phases if (kind, phase) in first]
        if taken:
            related = (Related("first given", first[kind, taken[0]]),)
            span, name = entry.kind.span, taken[0].value
            report.add("same_phase_twice", span, word=kind, phase=name, related=related)
        for phase in phases:
            first.setdefault((kind, phase), entry.kind.span)
