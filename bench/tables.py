"""Rows -> files -> the tables of docs/performance.md.

In: the rows of a scenario. Out: `bench/results/NAME.json`, and Markdown between the marks
`<!-- results: NAME -->` and `<!-- end -->` of the page. Never: a number that is not in a file.
"""

import json
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
MARKED = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

OWN_LOAD = 2.5
"""The load average that a benchmark makes alone, and a little."""

Rows = Sequence[Mapping[str, Any]]


@attrs.frozen
class Column:
    """One column: the median over the rounds of a number, or of what it is beside another row's."""

    title: str
    key: str
    form: str = "{:.0f}"
    beside: str | None = None
    """The row that this one is divided by, or compared with, in the same round."""
    difference: bool = False
    stands: bool = False
    """Whether the number means something on a busy machine: no time, but a count or memory."""

    @property
    def is_ratio(self) -> bool:
        """Whether both sides of the number met the same neighbors."""
        return self.beside is not None and not self.difference

    def holds(self, busy: bool) -> bool:
        """Whether the column may be shown."""
        return not busy or self.is_ratio or self.stands

    def cell(self, rows: Rows, what: str) -> str:
        """The text of a cell."""
        values = list(self._values(rows, what))
        return self.form.format(statistics.median(values)) if values else "-"

    def _values(self, rows: Rows, what: str) -> Iterable[float]:
        mine = by_round(rows, what, self.key)
        if self.beside is None:
            yield from (value for values in mine.values() for value in values)
            return
        theirs = by_round(rows, self.beside, self.key)
        for number in mine.keys() & theirs.keys():
            one, other = statistics.median(mine[number]), statistics.median(theirs[number])
            if self.difference:
                yield one - other
            elif one and other:
                yield one / other


def by_round(rows: Rows, what: str, key: str) -> dict[int, list[float]]:
    """The values of a row, by round."""
    found: dict[int, list[float]] = {}
    for row in rows:
        if row["what"] == what and key in row:
            found.setdefault(row["round"], []).append(row[key])
    return found


def loaded(base: str | None) -> tuple[Column, ...]:
    """The columns of what was asked as fast as it answers."""
    return (
        Column("req/s", "per_second"),
        Column("req/s, ratio", "per_second", "{:.2f}", base),
        Column("CPU us per request", "cpu_us"),
        Column("CPU, ratio", "cpu_us", "{:.2f}", base),
        Column("p50 ms", "p50_ms", "{:.2f}"),
        Column("p99 ms", "p99_ms", "{:.1f}"),
        Column("not 200", "refused", stands=True),
    )


def added(title: str, key: str) -> Column:
    """What a gateway adds to the provider's own time."""
    return Column(title, key, "{:.2f}", "direct", difference=True)


KT = "kt, 5 policies"
COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "peers": loaded(KT),
        "latency": (
            Column("p50 ms", "p50_ms", "{:.2f}"),
            Column("p99 ms", "p99_ms", "{:.2f}"),
            added("added p50 ms", "p50_ms"),
            added("added p99 ms", "p99_ms"),
            Column("CPU us per request", "cpu_us"),
            Column("answered", "answered"),
        ),
        "streams": (
            added("added TTFB p50 ms", "ttfb_p50_ms"),
            added("added TTFB p99 ms", "ttfb_p99_ms"),
            added("added to the end, p50 ms", "p50_ms"),
            Column("CPU us per stream", "cpu_us"),
            Column("CPU, ratio", "cpu_us", "{:.2f}", KT),
            Column("not 200", "refused", stands=True),
        ),
        "idle": (
            Column("streams that began", "begun", stands=True),
            Column("KiB per stream", "kib_each", "{:.1f}", stands=True),
            Column("CPU % while idle", "cpu_percent", "{:.1f}"),
        ),
        "memory": (Column("MiB", "memory_mib", "{:.1f}", stands=True),),
        "start": (
            Column("warm s", "warm_s", "{:.2f}"),
            Column("warm, ratio", "warm_s", "{:.2f}", KT),
            Column("cold s", "cold_s", "{:.2f}"),
        ),
        "bodies": loaded("1 KiB"),
        "policies": loaded("0 policies"),
        "connections": loaded("8 connections"),
        "layers": loaded(KT),
        "timing": (Column("us", "us"),),
        "workers": loaded("1 workers"),
        "compiling": (
            Column("ms", "ms", "{:.1f}"),
            Column("ratio", "ms", "{:.1f}", "1 policies"),
        ),
        "validate": (
            Column("ms", "ms"),
            Column("CPU ms", "cpu_ms"),
            Column("CPU, ratio", "cpu_ms", "{:.1f}", "python -c pass"),
            Column("beyond Python, ms", "ms", "{:.0f}", "python -c pass", difference=True),
            Column("beyond Python, CPU ms", "cpu_ms", "{:.0f}", "python -c pass", difference=True),
        ),
        "profile": (Column("% of samples", "percent", "{:.1f}", stands=True),),
    }
)


def write(name: str, facts: Mapping[str, object], rows: Rows) -> None:
    """Keep what a scenario gave, a row per line."""
    RESULTS.mkdir(exist_ok=True)
    head = json.dumps({"scenario": name, **facts}, indent=1).removesuffix("\n}")
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    (RESULTS / f"{name}.json").write_text(f'{head},\n "rows": [\n{lines}\n ]\n}}\n')


def read(name: str) -> dict[str, Any]:
    """What a scenario gave."""
    kept: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return kept


def table(kept: Mapping[str, Any], *, whole: bool = False) -> str:
    """The Markdown of a result, with where it comes from; `whole` shows times of any machine."""
    rows = kept["rows"]
    columns = [one for one in COLUMNS[kept["scenario"]] if whole or one.holds(is_busy(kept))]
    names = list(dict.fromkeys(row["what"] for row in rows))
    lines = [
        ["", *(column.title for column in columns)],
        ["---"] * (len(columns) + 1),
        *([name, *(column.cell(rows, name) for column in columns)] for name in names),
    ]
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return f"{text}\n{origin(kept)}"


def is_busy(kept: Mapping[str, Any]) -> bool:
    """Whether others had the machine, too."""
    loads: list[float] = [row["load"] for row in kept["rows"]]
    return statistics.median(loads) > OWN_LOAD


def origin(kept: Mapping[str, Any]) -> str:
    """When, on what and how loaded a machine, and what is missing."""
    loads = [row["load"] for row in kept["rows"]]
    rounds = len({row["round"] for row in kept["rows"]})
    said = [
        f"`{kept['command']}` of {kept['commit']}, {kept['when']}, {kept['machine']}; "
        f"rounds: {rounds}; "
        f"load average {min(loads):.1f} to {max(loads):.1f} on {kept['cores']} cores.\n"
    ]
    if is_busy(kept):
        said.append(
            "**The machine was busy with other work: times mean little, and the page has none.**\n"
        )
    said += [f"Not measured: {name} ({why}).\n" for name, why in kept["skipped"].items()]
    return "".join(said)


def filled(page: str) -> str:
    """The page with every table as the files have it."""
    return MARKED.sub(lambda mark: f"{mark[1]}{table(read(mark[2]))}{mark[3]}", page)
