"""Runs whose order of tasks follows from a seed."""

import trio
from trio._core import _run as scheduler

from kt.simulation.repeatable import run_repeatably


def order_of(seed: str) -> str:
    """In which order tasks that are ready at once run."""
    seen: list[str] = []

    async def note(name: str) -> None:
        await trio.lowlevel.checkpoint()
        seen.append(name)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for name in "abcdefgh":
                nursery.start_soon(note, name)
        await trio.sleep(3600)

    run_repeatably(main, seed)
    return "".join(seen)


def test_the_order_follows_from_the_seed() -> None:
    assert order_of("one") == order_of("one")
    assert len({order_of(str(seed)) for seed in range(5)}) > 1


def test_trio_is_left_as_it_was() -> None:
    before = (scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate())
    order_of("one")
    assert (scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate()) == before
