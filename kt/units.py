"""Durations and sizes as people write them: `250ms`, `2m`, `64KB`.

The config's reader and the command line share these, so that one spelling means one thing.
"""

import re
from types import MappingProxyType

DURATIONS = MappingProxyType({"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0})
"""Seconds per unit."""

SIZES = MappingProxyType(
    {"b": 1, "kb": 2**10, "kib": 2**10, "mb": 2**20, "mib": 2**20, "gb": 2**30, "gib": 2**30}
)
"""Bytes per unit: binary multiples, spelled in any case."""

_FORM = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]{1,3})")


def parse_duration(text: str) -> float:
    """Seconds of `250ms 5s 2m 1h 7d`. Raises ValueError on anything else, a bare number too."""
    number, unit = _split(text)
    if unit not in DURATIONS:
        raise ValueError(f"unknown unit '{unit}': use ms, s, m, h or d")
    return float(number) * DURATIONS[unit]


def parse_size(text: str) -> int:
    """Whole bytes of `64kb 4KB 10mb 1GiB`. Raises ValueError on anything else."""
    number, unit = _split(text)
    factor = SIZES.get(unit.lower())
    if factor is None:
        raise ValueError(f"unknown unit '{unit}': use b, kb, mb or gb")
    size = float(number) * factor
    if not size.is_integer():
        raise ValueError("not a whole number of bytes")
    return int(size)


def _split(text: str) -> tuple[str, str]:
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a number and a unit")
    return match[1], match[2]


def show_duration(seconds: float) -> str:
    """The shortest exact spelling: `250ms`, `5s`, `2m`."""
    for unit in ("d", "h", "m", "s"):
        if seconds >= DURATIONS[unit] and (seconds / DURATIONS[unit]).is_integer():
            return f"{int(seconds / DURATIONS[unit])}{unit}"
    return f"{format(seconds * 1000, '.9f').rstrip('0').rstrip('.')}ms"


def show_size(size: int) -> str:
    """The shortest exact spelling: `64KB`, `10MB`, `100B`."""
    for unit, factor in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"
