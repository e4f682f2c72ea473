"""How long compiling takes, by shape and size: `make bench-compile`.

Each size is compiled in this process, best of three, in seconds of the processor: what else the
machine does is not counted. A shape ends before a size that would take longer than the budget,
judged by how the sizes before it grew. Patterns that are compiled again come from a cache as long
as it holds them all, so that the largest size costs more for each than the others.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from kt.compiler import compile_source
from kt.errors import ConfigError
from kt.source import Source
from tests.support.large_configs import SHAPES

SIZES = (50, 500, 5000)
BUDGET = 20.0
"""Seconds that one compilation may take."""
REPEATS = 3
ROW = "{:<10} {:>6} {:>8} {:>10} {:>12} {:>8}\n"


def main() -> None:
    """Print a table: time per size, per thing, and against ten times less of it."""
    sys.stdout.write(ROW.format("shape", "size", "lines", "seconds", "us each", "ratio"))
    compiled(SHAPES["patterns"](1))  # what is built once per process is not what is measured
    for name, make in SHAPES.items():
        for row in rows(name, make):
            sys.stdout.write(row)
            sys.stdout.flush()


def rows(name: str, make: Callable[[int], str]) -> Iterator[str]:
    """A row per size."""
    times: list[float] = []
    for size in SIZES:
        text = make(size)
        lines = text.count("\n")
        expected = forecast(times)
        if expected > BUDGET:
            skipped = f"~{expected:.0f}"
            yield ROW.format(name, size, lines, skipped, "over budget", "-")
            return
        taken = fastest(text)
        ratio = f"{taken / times[-1]:.1f}" if times else "-"
        yield ROW.format(name, size, lines, f"{taken:.4f}", f"{taken / size * 1e6:.0f}", ratio)
        times.append(taken)


def forecast(times: list[float]) -> float:
    """What ten times as much would take, if it grew on as it did."""
    growth = times[-1] / times[-2] if len(times) > 1 else 10.0
    return times[-1] * max(growth, 10.0) if times else 0.0


def fastest(text: str) -> float:
    """The shortest of a few runs; one run where a run is long."""
    best = compiled(text)
    for _ in range(REPEATS - 1 if best < BUDGET / 10 else 0):
        best = min(best, compiled(text))
    return best


def compiled(text: str) -> float:
    """The seconds that one compilation takes, a failing one too."""
    source = Source("large.yaml", text)
    start = process_time()
    try:
        compile_source(source)
    except ConfigError as error:
        error.report.show()
    return process_time() - start


if __name__ == "__main__":
    main()
