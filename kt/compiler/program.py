"""The program: the plan's parts, every name resolved, in an order that rules may change."""

from typing import TypeAlias

import attrs

from kt.compiler.profile import Profile
from kt.filters.syntax import Always
from kt.plan import (
    Access,
    Admission,
    Connecting,
    Edge,
    Routing,
    Sizes,
    Stage,
    Step,
    Streaming,
    Target,
    Timeouts,
)
from kt.policy import Phase

PARTS = (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT)
"""What is arranged apart. Tool calls stand in answers, so what judges them is in that part."""


@attrs.frozen(kw_only=True)
class Program:
    """Everything that is decided before the optimizer and stays as it is, and the stages."""

    name: str
    version: str
    enabled: bool
    stages: tuple[Stage, ...]
    """Of all phases; those of one phase start in this order. At first each holds one step, and
    its `group` says with which others the user lets it start."""
    disabled: frozenset[int] = frozenset()
    """The declared places (`Step.order`) of entries that are switched off."""
    targets: tuple[Target, ...]
    connecting: Connecting = attrs.field(factory=Connecting)
    routing: Routing = attrs.field(factory=Routing)
    listen_port: int
    edge: Edge = Edge.LLHTTP
    timeouts: Timeouts
    admission: Admission
    sizes: Sizes
    access: Access = attrs.field(factory=Access)
    passthrough: tuple[str, ...] = ()
    streaming: Streaming = attrs.field(factory=Streaming)
    keep_answer_whole: bool
    server_timing: bool
    profile: Profile = attrs.field(factory=Profile)
    """What was measured of these policies, where somebody measured."""
    variables: tuple[str, ...] = ()
    """The variables in the text, with their places."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step, in order."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def unreachable(self) -> frozenset[int]:
        """The declared places of entries whose condition no request meets."""
        return frozenset(step.order for step in self.steps if step.when == Always(False))

    @property
    def idle(self) -> frozenset[int]:
        """The declared places of entries that never run."""
        return self.disabled | self.unreachable

    def phase(self, phase: Phase) -> tuple[Stage, ...]:
        """The stages of one of `PARTS`, in order."""
        return tuple(stage for stage in self.stages if part_of(stage.steps[0]) is phase)


def part_of(step: Step) -> Phase:
    """Which of `PARTS` a step runs in."""
    return Phase.OUTPUT if step.phase is Phase.TOOL else step.phase


Key: TypeAlias = tuple[int, Phase]


def key_of(step: Step) -> Key:
    """What tells steps apart: one entry of the chain may run in several phases."""
    return step.order, step.phase


@attrs.frozen
class Change:
    """What one rule did to one phase: its stages before and after, as text."""

    rule: str
    phase: Phase
    before: tuple[str, ...]
    after: tuple[str, ...]
