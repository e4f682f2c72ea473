"""What a format's tables exempt, read from the tables and not from the walk that uses them."""

from kt.wire.segments import Tables


def exempt_below(path: tuple[str | int, ...], tables: Tables) -> bool:
    """Whether a place lies at or below an exempt one."""
    names = tuple(part for part in path if isinstance(part, str))
    return any(names[: len(place)] == place for place in tables.exempt)
