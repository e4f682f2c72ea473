"""What a built-in rule is before a policy makes it one: a name and a pattern in any case."""

from collections.abc import Iterable, Iterator

import attrs

from kt.policy import Rule, View


@attrs.frozen
class Signal:
    """One thing that is looked for: the rule's name and its pattern."""

    name: str
    pattern: str


def signal(name: str, lines: str) -> Signal:
    """A signal whose pattern is written over several lines; their breaks mean nothing."""
    pattern = "".join(line.strip() for line in lines.splitlines())
    return Signal(name, f"(?i:{pattern})")


def rules_of(signals: Iterable[Signal], family: str, label: str) -> Iterator[Rule]:
    """A rule for every signal, found through disguises."""
    for one in signals:
        yield Rule(id=f"{family}.{one.name}", pattern=one.pattern, view=View.FOLDED, label=label)
