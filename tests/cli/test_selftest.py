"""`kt selftest`."""

import json

import pytest

from kt.cli import run
from kt.cli import selftest as command
from kt.simulation.drawing import draw
from kt.simulation.invariants import Broken
from kt.simulation.schedule import Schedule
from kt.simulation.search import Examined


def test_seeds_that_keep_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["selftest", "--runs", "3"]) == 0
    assert capsys.readouterr().out == "seeds 0 to 2: every promise held\n"
    assert run(["selftest", "--runs", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"format": 1, "runs": 2, "broken": []}


def test_one_seed_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["selftest", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("seed 3: every promise held\n")
    assert "gateway   has ended" in out


def failing(schedule: Schedule) -> Examined:
    """What a broken gateway would give."""
    story = ((0.5, "client", "waits"),)
    return Examined(schedule=schedule, broken=(Broken("it ends", "never"),), story=story)


def test_a_failure_names_its_seed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "search", lambda seeds: failing(draw(seeds[0])))
    assert run(["selftest", "--first", "7"]) == 1
    out = capsys.readouterr().out
    assert "broken: it ends: never\n" in out
    assert out.endswith("again: kt selftest --seed 7\n")
    assert run(["selftest", "--first", "7", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["seed"] == 7
    monkeypatch.setattr(command, "examine", failing)
    monkeypatch.setattr(command, "smallest", lambda one: one)
    assert run(["selftest", "--seed", "9"]) == 1
