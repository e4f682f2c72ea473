"""The performance page is true: its tables are what the kept results of the benchmarks give."""

import json
import os
import re
import shutil
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.processes import Load, Running, body_of, start_mock
from bench.scenarios import built
from bench.sides import direct
from bench.tables import COLUMNS, MARKED, OWN_LOAD, PAGE, RESULTS, Column, filled, table

PINS = shutil.which("cc") and shutil.which("taskset") and (os.cpu_count() or 1) > 1
PAGES_TABLES = [mark[2] for mark in MARKED.finditer(PAGE.read_text())]


def kept(numbers: dict[str, list[float]], load: float = 1.0) -> dict[str, Any]:
    """A result of one number per side and round."""
    rows = [
        {"what": what, "round": number, "load": load, "ms": value}
        for what, values in numbers.items()
        for number, value in enumerate(values)
    ]
    facts = {"command": "c", "commit": "1", "when": "w", "machine": "m", "cores": 2, "skipped": {}}
    return {"scenario": "compiling", **facts, "rows": rows}


def test_the_page_is_what_the_results_give() -> None:
    assert filled(PAGE.read_text()) == PAGE.read_text()


def test_every_kept_result_has_its_table() -> None:
    assert sorted(PAGES_TABLES) == sorted(path.stem for path in RESULTS.glob("*.json"))


def test_a_number_that_was_changed_is_found() -> None:
    page = PAGE.read_text()
    changed = re.sub(r"(\d\.)(\d+)( \|)", r"\g<1>9\2\3", page, count=1)
    assert changed != page
    assert filled(changed) == page


@pytest.mark.parametrize("name", PAGES_TABLES)
def test_every_result_says_how_it_was_made(name: str) -> None:
    result = json.loads((RESULTS / f"{name}.json").read_text())
    assert result["command"].startswith(f"python -m bench {name}")
    assert name in COLUMNS
    assert {"commit", "when", "machine", "cores", "skipped"} <= result.keys()
    assert all({"what", "round", "load"} <= row.keys() for row in result["rows"])


def test_a_ratio_is_the_median_over_rounds_that_both_have() -> None:
    rows = kept({"1 policies": [1.0, 10.0, 4.0, 8.0], "5 policies": [2.0, 40.0, 12.0]})["rows"]
    ratio = Column("ratio", "ms", "{:.1f}", "1 policies")
    assert ratio.cell(rows, "5 policies") == "3.0"
    assert ratio.cell(rows, "6 policies") == "-"


def test_a_difference_is_taken_round_by_round() -> None:
    rows = kept({"direct": [1.0, 100.0, 2.0], "ours": [2.0, 103.0, 4.0]})["rows"]
    added = Column("added", "ms", "{:.0f}", "direct", difference=True)
    assert added.cell(rows, "ours") == "2"


ROUNDS = st.lists(
    st.tuples(st.floats(1, 100), st.floats(1, 100), st.sampled_from([0.25, 0.5, 1.0, 2.0, 64.0])),
    min_size=1,
    max_size=5,
)


def slowed(rounds: list[tuple[float, float, float]]) -> list[dict[str, Any]]:
    """What both sides show where the machine slows each round down as it likes."""
    base = [one * by for one, _, by in rounds]
    other = [two * by for _, two, by in rounds]
    rows: list[dict[str, Any]] = kept({"base": base, "other": other})["rows"]
    return rows


@given(ROUNDS)
def test_what_slows_a_whole_round_changes_no_ratio(
    rounds: list[tuple[float, float, float]],
) -> None:
    ratio = Column("ratio", "ms", "{}", "base")
    calm = [(one, two, 1.0) for one, two, _ in rounds]
    assert ratio.cell(slowed(rounds), "other") == ratio.cell(slowed(calm), "other")


def test_a_ratio_of_medians_would_break_that_law() -> None:
    rounds = [(1.0, 2.0, 1.0), (1.0, 3.0, 64.0), (1.0, 4.0, 2.0)]
    times = Column("ms", "ms", "{}")
    rows = slowed(rounds)
    wrong = float(times.cell(rows, "other")) / float(times.cell(rows, "base"))
    assert wrong == 4.0
    assert Column("ratio", "ms", "{:.1f}", "base").cell(rows, "other") == "3.0"


def test_of_a_busy_machine_only_ratios_are_shown() -> None:
    numbers = {"1 policies": [1.5], "5 policies": [3.0]}
    assert "| 1.5 |" in table(kept(numbers))
    busy = table(kept(numbers, OWN_LOAD + 1))
    assert "| 5 policies | 2.0 |" in busy
    assert "1.5" not in busy
    assert "busy" in busy


def test_no_time_is_said_to_mean_something_on_a_busy_machine() -> None:
    times = re.compile(r"_(ms|us|s)$|per_second|^ms$|^us$")
    shown = [one for columns in COLUMNS.values() for one in columns if one.stands]
    assert shown
    assert [one.key for one in shown if times.search(one.key)] == []
    assert not any(attrs.evolve(one, stands=False).holds(True) for one in shown)


@pytest.mark.slow
@pytest.mark.skipif(not PINS, reason="the load generator is compiled, and pinned to a core")
def test_the_generator_counts_the_answers_of_the_provider() -> None:
    built()
    mock, port = start_mock()
    try:
        one = Running(direct(port))
        whole = one.load(Load(4, requests=50, seconds=30))
        due = one.load(Load(4, rate=1000, requests=20, seconds=30), body_of(stream=True))
    finally:
        mock.terminate()
        mock.wait()
    assert (whole["answered"], whole["refused"], whole["failed"]) == (50, 0, 0)
    assert (due["answered"], due["refused"], due["failed"]) == (20, 0, 0)
    assert due["ttfb_p50_ms"] < due["p50_ms"]
