"""The optimizer: rules that reorder steps without changing a decision, and their runner."""

from kt.compiler.optimizer.blocking_first import blocking_first
from kt.compiler.optimizer.run import Rule

RULES: tuple[Rule, ...] = (blocking_first,)
"""Every rule, in the order in which they run."""

__all__ = ["RULES"]
