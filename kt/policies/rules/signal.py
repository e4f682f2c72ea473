"""What a built-in rule is before a policy makes it one: a name and a pattern in any case."""

import attrs


@attrs.frozen
class Signal:
    """One thing that is looked for: the rule's name and its pattern."""

    name: str
    pattern: str


def signal(name: str, lines: str) -> Signal:
    """A signal whose pattern is written over several lines; their breaks mean nothing."""
    pattern = "".join(line.strip() for line in lines.splitlines())
    return Signal(name, f"(?i:{pattern})")
