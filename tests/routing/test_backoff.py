"""Waits and the budget of retries, as laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.routing.backoff import FLOOR_PER_SECOND, SAVED, SHARE, RetryBudget, delay, most_delay
from tests.support.routing import retry


def test_delays_grow_by_the_multiplier_up_to_the_most() -> None:
    rule = retry(initial=0.5, most=3.0, jitter=False)
    assert [delay(rule, at, lambda: 0.9) for at in (1, 2, 3, 4, 400)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_with_jitter_a_delay_is_drawn_from_nothing_to_all_of_it() -> None:
    rule = retry(initial=0.5, most=3.0, jitter=True)
    assert (delay(rule, 2, lambda: 0.0), delay(rule, 2, lambda: 0.5)) == (0.0, 0.5)


def test_advice_is_heeded_up_to_the_most() -> None:
    rule = retry(initial=0.5, most=3.0, jitter=False)
    assert [delay(rule, 1, lambda: 0.0, given) for given in (0.1, 2.0, 600.0)] == [0.5, 2.0, 3.0]


@given(
    st.floats(0.001, 60.0),
    st.floats(0.001, 60.0),
    st.integers(1, 10),
    st.floats(0.0, 0.999),
    st.none() | st.floats(0.0, 1e6),
)
def test_no_delay_is_longer_than_is_said(
    initial: float, most: float, at: int, drawn: float, advised: float | None
) -> None:
    rule = retry(initial=initial, most=most, jitter=True)
    assert 0.0 <= delay(rule, at, lambda: drawn, advised) <= most_delay(rule, at)


def conserved(budget: RetryBudget, events: list[tuple[bool, float]]) -> None:
    """Demand that retries never exceed what was saved and earned."""
    now, requests, retries = 0.0, 0, 0
    for is_request, passed in events:
        now += passed
        if is_request:
            budget.earn(now)
            requests += 1
        elif budget.spend(now):
            retries += 1
        assert retries <= SAVED + SHARE * requests + FLOOR_PER_SECOND * now + 1e-6


EVENTS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.01, 0.5, 30.0])), max_size=200)


@given(EVENTS)
def test_retries_are_never_more_than_the_budget(events: list[tuple[bool, float]]) -> None:
    conserved(RetryBudget(0.0), events)


class Generous(RetryBudget):
    """Planted: never says no."""

    def spend(self, now: float) -> bool:
        """Always leave."""
        return True


def test_the_law_finds_a_budget_that_gives_too_much() -> None:
    with pytest.raises(AssertionError):
        conserved(Generous(0.0), [(False, 0.0)] * 20)


def test_a_quiet_gateway_may_retry_and_a_storm_ends() -> None:
    budget = RetryBudget(0.0)
    assert [budget.spend(0.0) for _ in range(11)] == [True] * 10 + [False]
    assert budget.spend(1.0)
    assert not budget.spend(1.5)
