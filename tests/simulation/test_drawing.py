"""Drawing schedules."""

from kt.plan import Edge
from kt.simulation.drawing import draw
from kt.simulation.schedule import Behavior, Dialing, Kind, Manner
from kt.simulation.setups import SETUPS
from kt.testing.shapes import SHAPES

DRAWN = [draw(seed) for seed in range(600)]


def test_a_seed_is_a_schedule() -> None:
    assert draw(7) == draw(7) != draw(8)


def test_everything_that_can_happen_does() -> None:
    asks = [ask for one in DRAWN for ask in one.asks]
    visits = [visit for one in DRAWN for visit in one.visits]
    assert {one.setup for one in DRAWN} == SETUPS.keys()
    assert {one.edge for one in DRAWN} == set(Edge)
    assert {what for one in DRAWN for what in one.dialing} == set(Dialing)
    assert {visit.manner for visit in visits} == set(Manner)
    assert {one.behavior for ask in asks for one in ask.attempts} == set(Behavior)
    assert {ask.path for ask in asks} == SHAPES.keys()
    assert {kind for ask in asks for kind, _ in ask.text.parts} == set(Kind)
    assert any(one.drain is not None for one in DRAWN)
    assert any(one.reload is not None for one in DRAWN)
    assert any(one.slow_policy for one in DRAWN)


def test_somebody_ends_what_never_ends() -> None:
    for visit in (visit for one in DRAWN for visit in one.visits):
        attempts = [one for ask in visit.asks for one in ask.attempts]
        if any(one.behavior is Behavior.NEVER_ENDING for one in attempts):
            assert visit.patience is not None
