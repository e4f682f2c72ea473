"""The benchmarks as a command: `make bench`, `make bench ONLY="peers latency"`, `QUICK=1`."""

import argparse
import datetime as dt
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from bench.processes import HERE, start_mock
from bench.scenarios import SCENARIOS, Bench, built
from bench.sides import RUN
from bench.tables import PAGE, filled, table, write


def main() -> None:
    """Measure what was asked for, print tables, and keep the results where that was asked."""
    told = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, too
    built()
    mock, port = start_mock()
    try:
        for name in told.scenarios:
            measure(name, told, port)
    finally:
        mock.terminate()
        mock.wait()
        shutil.rmtree(RUN)
    if told.keep:
        PAGE.write_text(filled(PAGE.read_text()))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS), choices=[*SCENARIOS, []])
    parser.add_argument("--quick", action="store_true", help="short windows: does it work at all?")
    parser.add_argument("--keep", action="store_true", help="write bench/results and the page")
    for name, kind in (("rounds", int), ("seconds", float), ("warm-up", int)):
        parser.add_argument(f"--{name}", type=kind)
    told = parser.parse_args()
    told.scenarios = told.scenarios or list(SCENARIOS)
    return told


def measure(name: str, told: argparse.Namespace, port: int) -> None:
    """One scenario."""
    sys.stdout.write(f"\n{name}: {SCENARIOS[name].__doc__}\n\n")
    bench = bench_of(told, port)
    rows = list(SCENARIOS[name](bench))
    kept = {**facts(name, told), "skipped": bench.skipped}
    if not rows:
        return
    sys.stdout.write(table({"scenario": name, **kept, "rows": rows}, whole=True))
    sys.stdout.flush()
    if told.keep:
        write(name, kept, rows)


def bench_of(told: argparse.Namespace, port: int) -> Bench:
    """The durations: whole, quick, or as told."""
    bench = Bench(port)
    if told.quick:
        bench = Bench(port, 3, 0.5, 200, 5.0, 100, 2000)
    bench.rounds = told.rounds or bench.rounds
    bench.seconds = told.seconds or bench.seconds
    bench.warm_up = told.warm_up or bench.warm_up
    return bench


def facts(name: str, told: argparse.Namespace) -> dict[str, object]:
    """What must be known to read the numbers."""
    given = {key: value for key, value in vars(told).items() if key in GIVEN and value}
    words = [f"--{key.replace('_', '-')} {value}" for key, value in given.items()]
    return {
        "command": " ".join(["python -m bench", name, *["--quick"] * told.quick, *words]),
        "commit": commit(),
        "when": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{processor()}, Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}",
        "cores": os.cpu_count(),
    }


def commit() -> str:
    """What was measured; a plus sign where files differed from it."""
    asked = ("git", "describe", "--always", "--exclude", "*", "--dirty=+")
    told = subprocess.run(asked, cwd=HERE, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


GIVEN = ("rounds", "seconds", "warm_up")


def processor() -> str:
    """The name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


if __name__ == "__main__":
    main()
