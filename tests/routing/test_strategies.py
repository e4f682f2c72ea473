"""Orders of candidates against their plainest descriptions."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kt.routing.backoff import Chance
from kt.routing.strategies import Candidate, Moment, ordered
from kt.routing.values import Strategy
from tests.support.routing import healths


def seeded(seed: int) -> Chance:
    """The same numbers for the same seed."""
    return random.Random(seed).random  # noqa: S311 - chance that a test knows


def moment(turn: int = 0, seed: int = 0, min_samples: int = 1) -> Moment:
    """A moment with chance that a test knows."""
    return Moment(now=0.0, turn=turn, chance=seeded(seed), min_samples=min_samples)


def candidates(*names: str, weights: tuple[float, ...] = ()) -> tuple[Candidate, ...]:
    """Candidates of targets that were never asked."""
    many = weights or (1.0,) * len(names)
    pairs = zip(healths(*names), many, strict=True)
    return tuple(Candidate(one, None, weight) for one, weight in pairs)


def names(found: tuple[Candidate, ...]) -> str:
    """The ids in order."""
    return "".join(one.health.id for one in found)


@given(st.sampled_from(Strategy), st.integers(0, 6), st.integers(0, 9), st.integers(0, 99))
def test_every_order_has_each_candidate_once(
    strategy: Strategy, size: int, turn: int, seed: int
) -> None:
    found = ordered(strategy, candidates(*"abcdef"[:size]), moment(turn, seed))
    assert sorted(names(found)) == list("abcdef"[:size])


def test_round_robin_begins_with_the_next_one() -> None:
    three = candidates(*"abc")
    found = [names(ordered(Strategy.ROUND_ROBIN, three, moment(turn))) for turn in range(4)]
    assert found == ["abc", "bca", "cab", "abc"]


def test_weights_are_shares() -> None:
    chance = seeded(1)
    now = Moment(now=0.0, turn=0, chance=chance, min_samples=1)
    three = candidates(*"abc", weights=(7.0, 3.0, 0.0))
    first = Counter(names(ordered(Strategy.WEIGHTED, three, now))[0] for _ in range(4000))
    assert abs(first["a"] / 4000 - 0.7) < 0.03
    assert first["c"] == 0


def test_what_was_measured_too_seldom_is_tried_first_then_the_fastest() -> None:
    three = candidates(*"abc")
    for one, took in zip(three, (0.3, 0.1), strict=False):
        one.health.window.add(0.0, took)
    assert names(ordered(Strategy.LOWEST_LATENCY, three, moment())) == "cba"


def test_the_least_busy_is_asked_first() -> None:
    three = candidates(*"abc")
    three[0].health.under_way = 2
    three[1].health.under_way = 1
    assert names(ordered(Strategy.LEAST_BUSY, three, moment())) == "cba"


def test_chance_alone_draws_every_order() -> None:
    found = {
        names(ordered(Strategy.RANDOM, candidates(*"ab"), moment(seed=seed))) for seed in range(20)
    }
    assert found == {"ab", "ba"}


def test_what_is_down_comes_last_and_is_still_asked() -> None:
    three = candidates(*"abc")
    three[0].health.is_healthy = False
    assert names(ordered(Strategy.ORDERED, three, moment())) == "bca"
