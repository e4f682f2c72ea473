"""The checks: what a well-formed configuration may still get wrong. One file, one property."""

from collections.abc import Callable
from typing import TypeAlias

from kt.compiler.blocks import Kinds
from kt.compiler.checks.known_strategy import known_strategy
from kt.compiler.checks.once_per_phase import once_per_phase
from kt.compiler.checks.possible_stages import possible_stages
from kt.compiler.checks.unique_targets import unique_targets
from kt.compiler.checks.used_blocks import used_blocks
from kt.compiler.model import Config
from kt.diagnostics import Report

Check: TypeAlias = Callable[[Config, Kinds, Report], None]

CHECKS: tuple[Check, ...] = (
    unique_targets,
    known_strategy,
    possible_stages,
    once_per_phase,
    used_blocks,
)
"""Every check. Each reports all it finds; none depends on another."""
