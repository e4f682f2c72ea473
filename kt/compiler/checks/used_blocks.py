"""Warn of settings for a kind that the chain does not have."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.diagnostics import Report


def used_blocks(config: Config, kinds: Kinds, report: Report) -> None:
    """Warn of every block that nothing chains."""
    chained = {entry.kind.value for entry in config.policies.chain if entry.policy is None}
    for block in config.policy:
        if block.kind not in chained:
            report.add("unused_block", block.span, word=block.kind, hint="add it to policies.chain")
