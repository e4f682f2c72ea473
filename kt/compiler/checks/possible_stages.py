"""Demand that a chain entry's stage has something for its kind to do."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.compiler.phases import PHASE_OF, SIDE_OF
from kt.diagnostics import Related, Report
from kt.policy import Phase


def possible_stages(config: Config, kinds: Kinds, report: Report) -> None:
    """Report a stage for a kind that runs after everything, and one on the other side."""
    for entry in config.policies.chain:
        kind = entry.kind.value
        stage, side = entry.options.stage, entry.options.phase
        if stage is None:
            continue
        if kinds[kind].PHASES == (Phase.AUDIT,):
            hint = f"write '{kind}' alone: it runs after everything"
            span, word = entry.kind.span, stage.value
            report.add("stage_not_possible", span, word=kind, stage=word, hint=hint)
        elif side is not None and PHASE_OF[stage] is not SIDE_OF[side]:
            places = {key.value: key.span for key in entry.keys}
            related = (Related("first given", places["phase"]),)
            span = places["stage"]
            report.add("given_twice", span, word="stage", other="phase", related=related)
