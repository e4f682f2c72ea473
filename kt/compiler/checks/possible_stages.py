"""Demand that a chain entry's stage has something for its kind to do."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.diagnostics import Report
from kt.policy import Phase


def possible_stages(config: Config, kinds: Kinds, report: Report) -> None:
    """Report a stage for a kind that reads no text but runs after everything."""
    for entry in config.policies.chain:
        kind = entry.kind.value
        if entry.stage is not None and kinds[kind].PHASES == (Phase.AUDIT,):
            stage = entry.stage.value
            hint = f"write '{kind}' alone: it runs after everything"
            report.add("stage_not_possible", entry.kind.span, word=kind, stage=stage, hint=hint)
