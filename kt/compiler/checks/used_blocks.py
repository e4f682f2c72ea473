"""Warn of settings that no entry of the chain uses."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.diagnostics import Related, Report


def used_blocks(config: Config, kinds: Kinds, report: Report) -> None:
    """Warn of every block that nothing chains, or only with settings of its own."""
    used = {entry.kind.value for entry in config.policies.chain if entry.policy is None}
    alone = {entry.kind.value: entry.span for entry in config.policies.chain}
    for kind, span in ((block.kind, block.span) for block in config.policy):
        if kind in used:
            continue
        hint = "add it to policies.chain"
        related: tuple[Related, ...] = ()
        if kind in alone:
            hint = "its entry in the chain has settings of its own: keep one of the two"
            related = (Related("the entry", alone[kind]),)
        report.add("unused_block", span, word=kind, hint=hint, related=related)
