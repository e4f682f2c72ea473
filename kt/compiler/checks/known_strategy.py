"""Demand a known routing strategy, and warn of one that is not enforced."""

from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.compiler.strategies import WORDS, strategy_of
from kt.diagnostics import Report
from kt.plan import Strategy


def known_strategy(config: Config, kinds: Kinds, report: Report) -> None:
    """Report a word that is no strategy, and a strategy that would not do what it says."""
    written = config.providers.routing.strategy
    if written is None:
        return
    strategy = strategy_of(written.value)
    if strategy is None:
        known = ", ".join(one.value for one in Strategy)
        hint = report.suggest(written.value, WORDS) or f"use one of {known}"
        report.add("unknown_word", written.span, word=written.value, hint=hint)
    elif strategy is not Strategy.ORDERED:
        hint = "targets are asked as declared; 'gateway run' refuses it without --allow-unenforced"
        report.add("strategy_not_enforced", written.span, word=written.value, hint=hint)
