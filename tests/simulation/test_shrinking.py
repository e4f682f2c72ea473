"""Making a failure small."""

import attrs

from kt.simulation.drawing import draw
from kt.simulation.invariants import Broken
from kt.simulation.schedule import Kind, Manner, Schedule
from kt.simulation.search import Examined, search
from kt.simulation.shrinking import shrunk


def has_key(schedule: Schedule) -> bool:
    """A failure that needs one key in what a provider says."""
    return any(ask.says.of(Kind.KEY) for ask in schedule.asks)


def test_only_what_matters_is_left() -> None:
    seed = next(seed for seed in range(100) if has_key(draw(seed)) and len(draw(seed).asks) > 3)
    small = shrunk(draw(seed), has_key)
    assert [visit.manner for visit in small.visits] == [Manner.STAYS]
    assert len(small.asks) == 1
    assert [kind for kind, _ in small.asks[0].says.parts] == [Kind.KEY]
    assert shrunk(small, has_key) == small


def test_the_first_failure_is_found_and_made_small() -> None:
    def examine(schedule: Schedule) -> Examined:
        broken = (Broken("no keys", "there is one"),) if has_key(schedule) else ()
        return Examined(schedule=schedule, broken=broken, story=())

    found = search(range(100), examine)
    assert found is not None
    assert found.schedule.seed == next(seed for seed in range(100) if has_key(draw(seed)))
    assert search([found.schedule.seed], lambda one: attrs.evolve(examine(one), broken=())) is None
