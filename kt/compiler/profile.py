"""What was measured of policies: read from the events that the gateway wrote.

In: lines of an audit log. Out: a Profile, and the lines that could not be used, by number. Never:
an exception for a line, whatever it holds; more memory than one line and a row per policy.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeGuard

import attrs

from kt.plan import Step
from kt.policy import Outcome, Phase

MAX_LINE = 2**20
"""The largest line that is read, in bytes; an event is far smaller."""
MAX_ROWS = 10_000
"""How many policies a profile tells apart: more is no profile of one configuration."""
SHOWN = 5
"""This many unusable lines are named; the rest is counted."""

Key = tuple[str, str]
"""A policy's name and its phase."""


@attrs.frozen
class Measured:
    """One policy in one phase, over every event that names it."""

    name: str
    phase: str
    runs: int
    blocks: int
    microseconds: int
    """The time of all runs together: whole numbers, so that no order of adding them matters."""

    @property
    def cost(self) -> float:
        """The mean seconds of one run."""
        return self.microseconds / self.runs / 1e6

    @property
    def block_rate(self) -> float:
        """How likely the next run blocks. Never zero: what has not happened yet still may."""
        return (self.blocks + 1) / (self.runs + 2)


@attrs.frozen
class Profile:
    """The measurements of a configuration's policies."""

    rows: tuple[Measured, ...] = ()
    _by_key: Mapping[Key, Measured] = attrs.field(init=False, eq=False, repr=False)

    @_by_key.default
    def _index(self) -> Mapping[Key, Measured]:
        return {(row.name, row.phase): row for row in self.rows}

    def of(self, step: Step) -> Measured | None:
        """What was measured of a step, None where nothing was."""
        return self._by_key.get((step.name, step.phase.value))


@attrs.frozen
class BadLine:
    """A line that could not be used, counted from one, and why."""

    number: int
    problem: str


@attrs.frozen
class BadLines:
    """How many lines could not be used, and the first of them."""

    count: int
    first: tuple[BadLine, ...]


def read_profile(lines: Iterable[bytes]) -> tuple[Profile, BadLines]:
    """Sum up events. The order in which they come does not matter."""
    runs: Counter[Key] = Counter()
    blocks: Counter[Key] = Counter()
    spent: Counter[Key] = Counter()
    count = 0
    first: list[BadLine] = []
    for number, line in enumerate(lines, start=1):
        try:
            checks = tuple(_checks(line))
        except ValueError as problem:
            count += 1
            if len(first) < SHOWN:
                first.append(BadLine(number, str(problem)))
            continue
        for key, microseconds, is_block in checks:
            if key not in runs and len(runs) >= MAX_ROWS:
                continue
            runs[key] += 1
            blocks[key] += is_block
            spent[key] += microseconds
    rows = tuple(Measured(*key, runs[key], blocks[key], spent[key]) for key in sorted(runs))
    return Profile(rows), BadLines(count, tuple(first))


def _checks(line: bytes) -> Iterator[tuple[Key, int, bool]]:
    """What one event says of each policy. Raises ValueError with what is wrong with the line."""
    if len(line) > MAX_LINE:
        raise ValueError("longer than an event can be")
    if not line.strip():
        return
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    policies = event.get("policies") if isinstance(event, dict) else None
    if not isinstance(policies, list):
        raise ValueError("not an event: it has no list of policies")
    for one in policies:
        yield _check(one)


def _check(one: object) -> tuple[Key, int, bool]:
    fields = one if isinstance(one, dict) else {}
    name, phase, latency = fields.get("name"), fields.get("phase"), fields.get("latency_ms")
    if not isinstance(name, str) or phase not in {each.value for each in Phase}:
        raise ValueError("an entry of 'policies' has no name or no phase")
    if not _is_time(latency):
        raise ValueError("an entry of 'policies' has no usable latency_ms")
    return (name, str(phase)), round(latency * 1000), fields.get("verdict") == Outcome.BLOCK.value


def _is_time(value: object) -> TypeGuard[float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < 1e12  # type: ignore[operator]
