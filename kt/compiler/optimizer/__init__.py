"""The optimizer: rules that arrange steps without changing a decision, and their runner."""

from kt.compiler.optimizer.blocking_first import blocking_first
from kt.compiler.optimizer.cheapest_first import cheapest_first
from kt.compiler.optimizer.drop_disabled import drop_disabled
from kt.compiler.optimizer.drop_unreachable import drop_unreachable
from kt.compiler.optimizer.fuse_scans import fuse_scans
from kt.compiler.optimizer.parallel_groups import parallel_groups
from kt.compiler.optimizer.resolve_timeouts import resolve_timeouts
from kt.compiler.optimizer.run import Rule
from kt.compiler.optimizer.split_waiting import split_waiting

RULES: tuple[Rule, ...] = (
    drop_disabled,
    drop_unreachable,
    resolve_timeouts,  # ORDER: before fuse_scans, which compares limits
    parallel_groups,  # ORDER: before what moves stages, so that a group moves as a whole
    split_waiting,  # ORDER: after parallel_groups, whose stages it splits
    blocking_first,
    cheapest_first,
    fuse_scans,  # ORDER: last, when it is known who stands beside whom
)
"""Every rule, in the order in which they run."""

__all__ = ["RULES"]
