"""Counters of fixed windows: all or nothing, up to the limit, forgotten at the end."""

from kt.plan import RateLimit, Scope, Unit
from kt.runtime.windows import Claim, MemoryWindows, Refused, Taken


def limit(most: int, seconds: int = 60, scope: Scope = Scope.ALL) -> RateLimit:
    """A limit on requests."""
    return RateLimit(scope=scope, unit=Unit.REQUESTS, most=most, seconds=seconds)


def test_a_window_ends_where_the_clock_says_and_not_where_it_was_first_used() -> None:
    store, claims = MemoryWindows(), [Claim(limit(1), "", 1)]
    assert store.take(claims, 119.5) == Taken((0,))
    assert store.take(claims, 119.75) == Refused(0, 0.25)
    assert store.take(claims, 120.0) == Taken((0,))


def test_who_is_refused_by_one_limit_is_counted_by_none() -> None:
    store = MemoryWindows()
    many, one = Claim(limit(5), "", 1), Claim(limit(1, 3600), "", 1)
    assert store.take([many, one], 0.0) == Taken((4, 0))
    assert store.take([many, one], 1.0) == Refused(1, 3599.0)
    assert store.take([many], 1.0) == Taken((3,))


def test_of_several_that_refuse_the_longest_wait_is_told() -> None:
    store = MemoryWindows()
    claims = [Claim(limit(0, 60), "", 1), Claim(limit(0, 3600), "", 1)]
    assert store.take(claims, 10.0) == Refused(1, 3590.0)


def test_a_claim_of_nothing_asks_whether_something_is_left() -> None:
    store, tokens = MemoryWindows(), limit(100)
    assert store.take([Claim(tokens, "", 0)], 0.0) == Taken((100,))
    store.add([Claim(tokens, "", 150)], 1.0)
    assert store.take([Claim(tokens, "", 0)], 2.0) == Refused(0, 58.0)
    assert store.take([Claim(tokens, "", 0)], 60.0) == Taken((100,))


def test_what_is_given_back_after_the_end_of_its_window_is_gone() -> None:
    store, one = MemoryWindows(), limit(1)
    store.take([Claim(one, "", 1)], 59.0)
    store.take([Claim(one, "", 1)], 61.0)
    store.add([Claim(one, "", -1)], 59.0)
    assert store.take([Claim(one, "", 1)], 62.0) == Refused(0, 58.0)
    store.add([Claim(one, "", -1)], 61.0)
    assert store.take([Claim(one, "", 1)], 62.0) == Taken((0,))


def test_keys_beyond_those_that_are_told_apart_share_one_counter() -> None:
    store, two = MemoryWindows(keys=2), limit(2)
    for key in ("a", "b", "c", "d"):
        assert isinstance(store.take([Claim(two, key, 1)], 0.0), Taken)
    assert store.tracked == 3
    assert isinstance(store.take([Claim(two, "e", 1)], 0.0), Refused)
    assert isinstance(store.take([Claim(two, "a", 1)], 0.0), Taken)
    assert isinstance(store.take([Claim(two, "e", 1)], 60.0), Taken)


def test_limits_that_another_plan_has_as_well_go_on_counting() -> None:
    store, kept, gone = MemoryWindows(), limit(1), limit(1, 3600)
    claims = [Claim(kept, "", 1), Claim(gone, "", 1)]
    store.take(claims, 0.0)
    store.follow([limit(1)])
    assert isinstance(store.take(claims[:1], 1.0), Refused)
    assert isinstance(store.take(claims[1:], 1.0), Taken)
    assert repr(store) == "<MemoryWindows 2 keys>"
