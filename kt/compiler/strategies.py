"""Words for how a target is chosen, and the strategy that each of them means."""

from collections.abc import Mapping
from types import MappingProxyType

from kt.routing.values import Strategy

SYNONYMS: Mapping[str, Strategy] = MappingProxyType(
    {
        "single": Strategy.ORDERED,
        "priority": Strategy.ORDERED,
        "fallback": Strategy.ORDERED,
        "latency": Strategy.LOWEST_LATENCY,
        "latency_based": Strategy.LOWEST_LATENCY,
        "throughput": Strategy.HIGHEST_THROUGHPUT,
        "cost": Strategy.LOWEST_COST,
        "cost_based": Strategy.LOWEST_COST,
        "least_connections": Strategy.LEAST_BUSY,
    }
)
"""Other words of published configurations -> the strategy; `-` and `_` mean the same."""

WORDS = (*(one.value for one in Strategy), *SYNONYMS)


def strategy_of(word: str) -> Strategy | None:
    """The strategy that a word means, None for one that nobody knows."""
    written = word.replace("-", "_")
    if written in SYNONYMS:
        return SYNONYMS[written]
    return next((one for one in Strategy if one.value == written), None)
