"""What every policy kind offers, whatever it looks for."""

from typing import ClassVar, Protocol, runtime_checkable

from kt.plan import Body
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

    def body(self, phase: Phase) -> Body:
        """Lower to what the runtime runs. Call it only where `problems` has no error."""

    def problems(self) -> tuple[Problem, ...]:
        """Report everything that types alone cannot say, errors and warnings."""


@runtime_checkable
class Timed(Protocol):
    """A kind that may wait no longer than its own settings say."""

    timeout_ms: int | None
    """None leaves it to the gateway."""
