"""What each rule of the optimizer changed, as text."""

from collections.abc import Iterable
from typing import Protocol

from kt.policy import Phase


class Changed(Protocol):
    """What one rule did to one phase: its stages before and after."""

    @property
    def rule(self) -> str:
        """The rule's name."""

    @property
    def phase(self) -> Phase:
        """Where it changed something."""

    @property
    def before(self) -> tuple[str, ...]:
        """The stages as it found them."""

    @property
    def after(self) -> tuple[str, ...]:
        """The stages as it left them."""


def trace_text(changes: Iterable[Changed]) -> str:
    """One paragraph for each change, in the order in which they were made."""
    lines = []
    for change in changes:
        lines.append(f"{change.rule} {change.phase.value}")
        lines += [f"  before  {_shown(change.before)}", f"  after   {_shown(change.after)}"]
    return "\n".join(lines or ["no rule changed anything"]) + "\n"


def _shown(stages: tuple[str, ...]) -> str:
    return ", ".join(stages) or "nothing"
