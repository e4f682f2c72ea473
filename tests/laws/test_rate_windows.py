"""The law of windows: never more than the limit in any of them, and never less where more is asked.

A model counts every taken claim by window and key and forgets nothing; the store has a cap on its
keys and forgets what is over.
"""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.plan import RateLimit, Scope, Unit
from kt.runtime.windows import Claim, MemoryWindows, Refused, Taken

LIMITS = (
    RateLimit(scope=Scope.ALL, unit=Unit.REQUESTS, most=3, seconds=10),
    RateLimit(scope=Scope.USER, unit=Unit.REQUESTS, most=2, seconds=7),
    RateLimit(scope=Scope.USER, unit=Unit.TOKENS, most=5, seconds=30),
)


@attrs.frozen
class Asked:
    """One request: how long after the one before, and which limits count it for whom."""

    after: float
    claims: tuple[Claim, ...]
    gives_back: bool = False


def claim_of(limit: RateLimit) -> st.SearchStrategy[Claim]:
    """A claim on one limit."""
    keys = st.just("") if limit.scope is Scope.ALL else st.sampled_from("abcd")
    return st.builds(Claim, st.just(limit), keys, st.just(1))


REQUESTS = st.lists(
    st.builds(
        Asked,
        st.sampled_from([0.0, 0.0, 0.5, 2.0, 11.0]),
        st.lists(st.sampled_from(LIMITS), unique=True, min_size=1).flatmap(
            lambda limits: st.tuples(*map(claim_of, limits))
        ),
        st.booleans(),
    ),
    max_size=60,
)


def window(limit: RateLimit, now: float) -> int:
    """The number of the window at a time."""
    return int(now // limit.seconds)


def law(requests: list[Asked], store: MemoryWindows, *, keys_fit: bool) -> None:
    """Ask in order, and hold every answer against what was taken before."""
    taken: dict[tuple[RateLimit, str, int], int] = {}
    now = 1000.0
    for one in requests:
        now += one.after
        places = [(claim.limit, claim.key, window(claim.limit, now)) for claim in one.claims]
        would_fit = all(taken.get(place, 0) < place[0].most for place in places)
        answer = store.take(one.claims, now)
        if isinstance(answer, Refused):
            assert not (would_fit and keys_fit), "there was room"
            limit = one.claims[answer.claim].limit
            end = (window(limit, now) + 1) * limit.seconds
            assert now + answer.seconds == pytest.approx(end)
            continue
        for place in places:
            taken[place] = taken.get(place, 0) + 1
        assert all(count <= place[0].most for place, count in taken.items())
        if one.gives_back:
            store.add([attrs.evolve(claim, cost=-1) for claim in one.claims], now)
            for place in places:
                taken[place] -= 1


@given(requests=REQUESTS)
def test_windows_admit_exactly_what_they_may(requests: list[Asked]) -> None:
    law(requests, MemoryWindows(), keys_fit=True)


@given(requests=REQUESTS, keys=st.integers(1, 3))
def test_too_many_keys_never_let_more_in(requests: list[Asked], keys: int) -> None:
    store = MemoryWindows(keys)
    law([attrs.evolve(one, gives_back=False) for one in requests], store, keys_fit=False)
    assert store.tracked <= (keys + 1) * len(LIMITS)


@given(starts=st.floats(0, 2e9, allow_nan=False))
def test_who_comes_back_when_told_is_let_in(starts: float) -> None:
    store = MemoryWindows()
    claims = [Claim(LIMITS[0], "", 1)]
    for _ in range(LIMITS[0].most):
        store.take(claims, starts)
    refused = store.take(claims, starts)
    assert isinstance(refused, Refused)
    assert 0 < refused.seconds <= LIMITS[0].seconds
    assert not isinstance(store.take(claims, starts + refused.seconds + 1e-6), Refused)


class Sliding(MemoryWindows):
    """Planted: counts what a refused request would have taken."""

    def take(self, claims: Sequence[Claim], now: float) -> Taken | Refused:
        answer = super().take(claims, now)
        if isinstance(answer, Refused):
            self.add(claims, now)
        return answer


class Forgetful(MemoryWindows):
    """Planted: a full table is emptied, as if its window were over."""

    def take(self, claims: Sequence[Claim], now: float) -> Taken | Refused:
        if self.tracked > 2:
            self._windows.clear()
        return super().take(claims, now)


def asked(limit: RateLimit, key: str, *others: Claim) -> Asked:
    """One request, without a pause."""
    return Asked(0.0, (Claim(limit, key, 1), *others))


def test_the_law_finds_windows_that_count_what_they_refuse() -> None:
    everyone, user, _ = LIMITS
    requests = [
        *[asked(user, "a")] * 2,
        *[asked(user, "a", Claim(everyone, "", 1))] * 3,
        asked(everyone, ""),
    ]
    law(requests, MemoryWindows(), keys_fit=True)
    with pytest.raises(AssertionError, match="there was room"):
        law(requests, Sliding(), keys_fit=True)


def test_the_law_finds_windows_that_forget() -> None:
    requests = [asked(LIMITS[1], key) for key in "aabcaa"]
    law(requests, MemoryWindows(), keys_fit=True)
    with pytest.raises(AssertionError):
        law(requests, Forgetful(), keys_fit=True)
