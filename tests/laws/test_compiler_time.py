"""Law: compiling twice as much takes twice the work; a file that is edited is checked at once.

Work is counted in calls, which are the same on every machine.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from kt.compiler import compile_source
from kt.compiler.optimizer import RULES
from kt.compiler.optimizer.run import run
from kt.errors import ConfigError
from kt.source import Source
from tests.support import pairwise
from tests.support.large_configs import SHAPES, with_patterns, with_targets
from tests.support.programs import read_program

LINEAR = ("patterns", "targets", "mistakes", "policies", "conditions")
SMALL, LARGE = 100, 400
SLACK = 1.2


def check(text: str) -> None:
    """Compile a text and show what is wrong with it."""
    try:
        compile_source(Source("kt.yaml", text))
    except ConfigError as error:
        error.report.show()


def calls(work: Callable[[str], None], text: str) -> int:
    """How many functions some work calls."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work(text)
    finally:
        sys.setprofile(before)
    return count


def check_growth(work: Callable[[str], None], make: Callable[[int], str]) -> None:
    """Demand that what a larger text takes more is in proportion."""
    work(make(1))  # what is built once per process
    least, less, more = (calls(work, make(size)) for size in (0, SMALL, LARGE))
    assert (more - least) <= SLACK * (LARGE / SMALL) * (less - least)


@pytest.mark.slow
@pytest.mark.parametrize("name", LINEAR)
def test_four_times_as_much_takes_four_times_the_work(name: str) -> None:
    check_growth(check, SHAPES[name])


HARD = (
    ("edits", "blocks"),
    ("acts", "blocks"),
    ("acts free", "blocks"),
    ("redacted blocks network", "edits"),
    ("blocks network group=g",),
    ("blocks acts group=g",),
    ("acts group=g", "blocks group=h"),
    ("edits acts group=g", "redacted blocks group=g"),
    ("blocks measured=9/1/{dearer}",),
    ("blocks folded", "blocks limit=1s"),
)
"""What the steps of a program say: a part of them each, one after the other or in turn."""


def in_parts(sorts: tuple[str, ...], count: int) -> str:
    """A program whose steps are of one sort first, then of the next."""
    return lines_of((sorts[number * len(sorts) // count] for number in range(count)), count)


def in_turn(sorts: tuple[str, ...], count: int) -> str:
    """A program whose steps are of each sort in turn."""
    return lines_of((sorts[number % len(sorts)] for number in range(count)), count)


def lines_of(rows: Iterable[str], count: int) -> str:
    """The lines of a program; what was measured costs more than the step after it."""
    told = (row.format(dearer=count - number) for number, row in enumerate(rows))
    return "".join(f"step{number} {row}\n" for number, row in enumerate(told))


def optimize(text: str) -> None:
    """Run the optimizer and its laws."""
    run(read_program(text), RULES)


@pytest.mark.slow
@pytest.mark.parametrize("sorts", HARD, ids=" then ".join)
@pytest.mark.parametrize("arranged", [in_parts, in_turn])
def test_four_times_as_many_steps_take_four_times_the_work(
    sorts: tuple[str, ...], arranged: Callable[[tuple[str, ...], int], str]
) -> None:
    check_growth(optimize, lambda count: arranged(sorts, count))


def test_the_law_of_growth_finds_who_asks_every_pair() -> None:
    """Planted: the laws of the optimizer as they are said of pairs."""

    def planted(text: str) -> None:
        stages = read_program(text).stages
        list(pairwise.broken_waits(stages))

    with pytest.raises(AssertionError):
        check_growth(planted, lambda count: in_turn(HARD[0], count))


def test_the_law_of_growth_finds_a_loop_in_a_loop() -> None:
    def planted(text: str) -> None:
        lines = text.splitlines()
        for line in lines[::4]:
            lines.count(line)
            for other in lines[::4]:
                other.startswith(line)

    with pytest.raises(AssertionError):
        check_growth(planted, with_targets)


TIMED = """
from time import perf_counter
start = perf_counter()
import kt.cli.validate
import kt.compiler.lower
import kt.patterns.matcher
import kt.policies.dlp_filter
from kt.compiler import compile_source
from kt.source import Source
from tests.support.large_configs import with_patterns
imported = perf_counter() - start
text = with_patterns(195)
assert text.count("\\n") == 200
start = perf_counter()
compile_source(Source("kt.yaml", text))
print(imported > perf_counter() - start)
"""


@pytest.mark.slow
def test_two_hundred_lines_are_checked_faster_than_what_checks_them_is_imported() -> None:
    # Once in three tries: on a machine that does other things a single measurement says little.
    tries = (
        subprocess.run([sys.executable, "-c", TIMED], capture_output=True, text=True, check=True)
        for _ in range(3)
    )
    assert any(one.stdout == "True\n" for one in tries)
    assert with_patterns(195).count("\n") == 200


TYPICAL = "policies: {chain: [pii-detector, prompt-injection, audit-logger]}\n"

HEAVY = frozenset(
    (
        *("trio", "hypercorn", "httpx", "h2", "rich", "hyperscan", "prometheus_client", "asyncio"),
        *("hypothesis", "orjson", "ssl", "importlib.metadata"),
        *("lark", "re2", "stdnum", "kt.patterns.parser", "kt.filters.parser", "kt.compiler.schema"),
        *("kt.policies.dlp_filter", "kt.policies.quality_scorer", "kt.explain", "kt.runtime"),
    )
)
"""What the check of a small configuration has no need of."""

CHECK = """
import sys
from kt.cli import run
try:
    run(["config", "validate", {file!r}])
except SystemExit as ended:
    assert ended.code == 0
print(*sorted(sys.modules))
"""


def imported(file: Path, text: str) -> set[str]:
    """The modules that `kt config validate` imports for a text."""
    file.write_text(text)
    code = CHECK.format(file=str(file))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_checking_a_small_configuration_imports_only_what_it_needs(tmp_path: Path) -> None:
    names = imported(tmp_path / "small.yaml", TYPICAL)
    assert {"kt.policies.pii_detector", "kt.compiler.structure"} <= names
    assert names & HEAVY == set()


def test_a_configuration_with_patterns_imports_what_reads_them(tmp_path: Path) -> None:
    text = TYPICAL + "policy: {pii-detector: {detect_patterns: ['x-[0-9]+']}}\n"
    assert {"lark", "re2"} <= imported(tmp_path / "patterns.yaml", text)
