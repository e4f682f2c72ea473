"""Demand a routing strategy that is enforced."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.diagnostics import Report

ENFORCED = ("ordered", "single")
PLANNED = ("highest_throughput", "latency", "lowest_latency", "cost", "random", "round_robin")
"""Strategies of the product that would change which target answers."""


def known_strategy(config: Config, kinds: Kinds, report: Report) -> None:
    """Report a strategy that would not do what it says."""
    strategy = config.providers.routing.strategy
    if strategy is None or strategy.value in ENFORCED:
        return
    if strategy.value.replace("-", "_") in PLANNED:
        hint = "use ordered"
        report.add("strategy_not_enforced", strategy.span, word=strategy.value, hint=hint)
        return
    hint = report.suggest(strategy.value, ENFORCED) or "use ordered or single"
    report.add("unknown_word", strategy.span, word=strategy.value, hint=hint)
