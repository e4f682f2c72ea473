"""What a request claims of each limit, what it is told, and what it used in the end."""

import pytest

from kt.errors import GatewayError
from kt.plan import ConsumerGroup, RateLimit, Scope, Unit
from kt.runtime.access import ANYBODY, Caller
from kt.runtime.identity import Headers, Identity
from kt.runtime.rates import Asking, Rates, estimated_tokens, key_of
from kt.runtime.windows import MemoryWindows

RED = ConsumerGroup(name="red")
UNBELIEVED = Caller(is_believed=False)


def limit(scope: Scope, most: int = 1, unit: Unit = Unit.REQUESTS, **more: object) -> RateLimit:
    """A limit in a window of a minute."""
    return RateLimit(scope=scope, unit=unit, most=most, seconds=60, **more)  # type: ignore[arg-type]


def asking(headers: Headers | None = None, peer: str = "10.0.0.1", by: Caller = ANYBODY) -> Asking:
    """A request."""
    given = {} if headers is None else headers
    return Asking(peer, given, Identity.of(given, is_believed=by.is_believed), by)


def rates(*limits: RateLimit, now: float = 10.0, tells: bool = False) -> Rates:
    """Limits at a moment that stays."""
    return Rates(limits, MemoryWindows(), lambda: now, tells)


@pytest.mark.parametrize(
    ("of", "by", "key"),
    [
        (limit(Scope.ALL), asking(), ""),
        (limit(Scope.ADDRESS), asking(), "10.0.0.1"),
        (limit(Scope.ADDRESS), asking(peer="2001:db8:1:2:3::4"), "2001:db8:1:2::/64"),
        (limit(Scope.ADDRESS, proxies=1), asking({b"x-forwarded-for": b"9.9.9.9"}), "9.9.9.9"),
        (limit(Scope.ADDRESS, proxies=1), asking(), "unknown"),
        (limit(Scope.USER, headers=("x-user-id",)), asking({b"x-user-id": b"ann"}), "ann"),
        (limit(Scope.USER, headers=("x-a", "x-b")), asking({b"x-b": b"bob"}), "bob"),
        (limit(Scope.USER, headers=("x-user-id",)), asking({b"x-user-id": b"a b"}), None),
        (limit(Scope.USER, headers=("x-user-id",)), asking(), None),
        (
            limit(Scope.USER, headers=("x-user-id",)),
            asking({b"x-user-id": b"ann"}, by=UNBELIEVED),
            None,
        ),
        (limit(Scope.GROUP, group="red"), asking(by=Caller(RED)), ""),
        (limit(Scope.GROUP, group="red"), asking(), None),
        (limit(Scope.GROUP), asking(by=Caller(RED)), None),
        (limit(Scope.GROUP), asking(), ""),
    ],
)
def test_a_request_is_on_the_counter_of(of: RateLimit, by: Asking, key: str | None) -> None:
    assert key_of(of, by) == key


def test_a_refusal_says_when_the_window_ends_and_takes_nothing() -> None:
    two = rates(limit(Scope.ALL, most=9), limit(Scope.ADDRESS, most=1), now=10.25, tells=True)
    assert dict(two.admit(asking()).headers)[b"x-ratelimit-remaining"] == b"0"
    with pytest.raises(GatewayError) as refusal:
        two.admit(asking())
    assert refusal.value.code == "rate_limited"
    assert dict(refusal.value.headers) == {
        b"retry-after": b"50",
        b"retry-after-ms": b"49750",
        b"x-ratelimit-limit": b"1",
        b"x-ratelimit-remaining": b"0",
        b"x-ratelimit-reset": b"50",
    }
    assert dict(two.admit(asking(peer="10.0.0.2")).headers)[b"x-ratelimit-limit"] == b"1"


def test_headers_are_told_only_where_asked_for_and_only_of_requests() -> None:
    assert rates(limit(Scope.ALL)).admit(asking()).headers == ()
    tokens = rates(limit(Scope.ALL, unit=Unit.TOKENS), tells=True)
    assert tokens.admit(asking()).headers == ()


def test_tokens_are_counted_when_they_are_known() -> None:
    both = rates(limit(Scope.ALL, 100), limit(Scope.ALL, 50, Unit.TOKENS))
    first, second = both.admit(asking()), both.admit(asking())
    both.settle(first, None, 50)
    both.settle(second, "input_blocked", 0)
    with pytest.raises(GatewayError, match="50 tokens of all in 60s"):
        both.admit(asking())


def test_who_was_not_served_has_used_nothing() -> None:
    once = rates(limit(Scope.ALL))
    for code in ("queue_full", "queue_timeout", "user_limit", "team_limit"):
        once.settle(once.admit(asking()), code, 0)
    once.settle(once.admit(asking()), "input_blocked", 0)
    with pytest.raises(GatewayError):
        once.admit(asking())


@pytest.mark.parametrize(
    ("sizes", "tokens"), [((0, 0, 0), 0), ((7, 9, 0), 5), ((8, 0, 3), 5), ((8, 999, 3), 5)]
)
def test_uncounted_tokens_are_estimated(sizes: tuple[int, int, int], tokens: int) -> None:
    assert estimated_tokens(*sizes) == tokens
