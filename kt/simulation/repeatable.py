"""Runs in virtual time whose every choice follows from a seed, the order of trio's tasks included.

In: an async function. Out: it ran. Never: two runs at once, a trace left behind in trio.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio
from trio._core import _run as scheduler
from trio.testing import MockClock


def run_repeatably(main: Callable[[], Awaitable[None]], seed: str) -> None:
    """Run it with a clock that jumps to the next thing that happens."""
    with _ordered(seed):
        trio.run(main, clock=MockClock(autojump_threshold=0))


@contextmanager
def _ordered(seed: str) -> Iterator[None]:
    # What trio does for hypothesis: batches of tasks are sorted by age, then shuffled by `_r`.
    state, switch = scheduler._r.getstate(), scheduler._ALLOW_DETERMINISTIC_SCHEDULING
    scheduler._r.seed(seed)
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]  # final but for tests
    try:
        yield
    finally:
        scheduler._r.setstate(state)
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = switch  # type: ignore[misc]
