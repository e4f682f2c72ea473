"""What every policy kind offers, whatever it looks for."""

from typing import ClassVar, Protocol

from kt.plan import NotEnforced, Record, Scan
from kt.policies.problem import Problem
from kt.policy import Facts, Phase


class PolicyKind(Protocol):
    """What every kind offers."""

    KIND: ClassVar[str]
    """Its canonical name, with hyphens."""
    PHASES: ClassVar[tuple[Phase, ...]]
    """Where a chain entry of it runs when it names no stage."""

    def facts(self, phase: Phase) -> Facts:
        """State what the compiler may know of it."""

    def body(self, phase: Phase) -> Scan | Record | NotEnforced:
        """Lower to what the runtime runs. Call it only where `problems` has no error."""

    def problems(self) -> tuple[Problem, ...]:
        """Report everything that types alone cannot say, errors and warnings."""
