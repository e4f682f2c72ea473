"""Put stages into the best order that the borders between them allow.

In: stages of one phase and the price of each. Out: the same stages, some earlier. Never: crosses a
border that `commute` knows, more than n log n work.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush

from kt.compiler.optimizer.commute import Border, drawn_by, heeded_by, with_reason
from kt.plan import Stage

Price = Callable[[Stage], float]


def cheapest_in_front(stages: Sequence[Stage], rule: str, price: Price) -> tuple[Stage, ...]:
    """Start, again and again, the cheapest stage that may start; what moved forward says why.

    Stages of the same price keep their order.
    """
    left = deque(range(len(stages)))
    started: set[int] = set()
    moved: list[Stage] = []
    for at in _starting_order(stages, price):
        started.add(at)
        is_moved = left[0] != at
        moved.append(with_reason(stages[at], _reason(rule, at)) if is_moved else stages[at])
        while left and left[0] in started:
            left.popleft()
    return tuple(moved)


def _reason(rule: str, at: int) -> str:
    return f"moved by {rule}: was {at + 1}"


def _starting_order(stages: Sequence[Stage], price: Price) -> Iterator[int]:
    """The places of stages as they start.

    A stage is held at each border that it heeds until all that draw it before have started. Those
    that draw and those that are held stand in line, so that each is looked at once.
    """
    heeded = [heeded_by(stage) for stage in stages]
    drawn = [drawn_by(stage) for stage in stages]
    holding = {border: _places(border, drawn) for border in Border}
    held = {border: _places(border, heeded) for border in Border}
    holds = [len(borders) for borders in heeded]
    started: set[int] = set()
    ready = [(price(stages[at]), at) for at, borders in enumerate(heeded) if not borders]
    ready.sort()

    def open_border(border: Border) -> None:
        while holding[border] and holding[border][0] in started:
            holding[border].popleft()
        first = holding[border][0] if holding[border] else len(stages)
        while held[border] and held[border][0] <= first:
            at = held[border].popleft()
            holds[at] -= 1
            if not holds[at]:
                heappush(ready, (price(stages[at]), at))

    for border in Border:
        open_border(border)
    while ready:
        _, at = heappop(ready)
        started.add(at)
        yield at
        for border in drawn[at]:
            open_border(border)


def _places(border: Border, borders: Sequence[frozenset[Border]]) -> deque[int]:
    return deque(at for at, each in enumerate(borders) if border in each)
