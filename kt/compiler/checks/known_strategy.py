"""Demand a known routing strategy, and warn of one that is not enforced."""

from kt.compiler.blocks import Kinds
from kt.compiler.fields import Text
from kt.compiler.model import Config
from kt.compiler.strategies import WORDS, strategy_of
from kt.diagnostics import Report
from kt.routing.values import PERFORMED, Strategy


def known_strategy(config: Config, kinds: Kinds, report: Report) -> None:
    """Report words that are no strategy, and strategies that would not do what they say."""
    fallback = config.providers.fallback
    of_fallback = None if fallback is None else fallback.strategy
    groups = (group.strategy for group in config.model_groups)
    for written in (config.providers.routing.strategy, of_fallback, *groups):
        if written is not None:
            _check(written, report)


def _check(written: Text, report: Report) -> None:
    strategy = strategy_of(written.value)
    if strategy is None:
        known = ", ".join(one.value for one in Strategy)
        hint = report.suggest(written.value, WORDS) or f"use one of {known}"
        report.add("unknown_word", written.span, word=written.value, hint=hint)
    elif strategy not in PERFORMED:
        hint = "targets are asked as declared; 'gateway run' refuses it without --allow-unenforced"
        report.add("strategy_not_enforced", written.span, word=written.value, hint=hint)
