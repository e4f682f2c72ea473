"""Demand that a name runs at most once in a phase."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.compiler.phases import phases_of
from kt.diagnostics import Related, Report
from kt.policy import Phase
from kt.source import Span


def once_per_phase(config: Config, kinds: Kinds, report: Report) -> None:
    """Report every entry that would run where an earlier one of its name runs already."""
    first: dict[tuple[str, Phase], Span] = {}
    for entry in config.policies.chain:
        if entry.options.enabled is False:
            continue
        name = entry.name
        phases = phases_of(entry, kinds)
        taken = [phase for phase in phases if (name, phase) in first]
        if taken:
            related = (Related("first given", first[name, taken[0]]),)
            place, phase_name = entry.kind.span, taken[0].value
            report.add("same_phase_twice", place, word=name, phase=phase_name, related=related)
        for phase in phases:
            first.setdefault((name, phase), entry.kind.span)
