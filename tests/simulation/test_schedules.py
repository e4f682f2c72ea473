"""The gateway keeps its promises in every drawn world; and worlds repeat."""

import os

import pytest

from kt.simulation.drawing import draw
from kt.simulation.search import search
from kt.simulation.world import simulate

PARTS = 5
SEEDS = {"fast": 60, "ci": 160, "deep": 4000}[os.environ.get("KT_HYPOTHESIS_PROFILE", "fast")]
"""Per part; the same ones every time, so that a change is judged and not the dice."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_holds(part: int) -> None:
    failure = search(range(part * SEEDS, (part + 1) * SEEDS))
    assert failure is None, f"kt selftest --seed {failure.schedule.seed}\n{failure.broken}"


def test_equal_seeds_give_equal_runs() -> None:
    for seed in (0, 11, 23):
        first, second = simulate(draw(seed)), simulate(draw(seed))
        assert first.story == second.story
        assert [one.received[:40] for one in first.heard] == [
            one.received[:40] for one in second.heard
        ]
