"""How often who may ask: what a request claims of each rate limit, and what it used in the end.

In: the plan's limits, a store of counters, the time of day. Out: a permit, or a refusal that says
when to come back. Never: a request that is refused by one limit counted by another.

Requests are counted when they come. Tokens are counted when they are known, which is when the
answer is over: a request is let in while the window has tokens left, and may overdraw it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, ip_network
from operator import itemgetter

import attrs

from kt.errors import GatewayError
from kt.plan import RateLimit, Scope, Unit
from kt.runtime.access import Caller, client_address
from kt.runtime.identity import Headers, Identity, name_in
from kt.runtime.windows import Claim, Refused, Taken, WindowStore

UNSERVED = frozenset({"queue_full", "queue_timeout", "user_limit", "team_limit"})
"""Who ends like this was not served, and has not used its window."""

NETWORK_BITS = 64
"""Of an address of IPv6 as many tell clients apart: whoever has one has all that begin so."""

BYTES_PER_TOKEN = 4
"""Of text, where a provider does not say how many tokens it was."""

NOWHERE = "unknown"
"""Stands for all addresses that our proxies did not tell."""


@attrs.frozen
class Asking:
    """What limits look at."""

    peer: str
    headers: Headers
    identity: Identity
    caller: Caller


@attrs.frozen
class Permit:
    """A request that was let in, with what it took."""

    claims: tuple[Claim, ...]
    at: float
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """What the answer says about the limits."""


@attrs.frozen
class Rates:
    """The limits of a plan, bound."""

    limits: tuple[RateLimit, ...]
    store: WindowStore
    clock: Callable[[], float]
    """Seconds since the epoch."""
    tells: bool = False

    def admit(self, asking: Asking) -> Permit:
        """Take what a request needs. Raises GatewayError `rate_limited`, having taken nothing."""
        now = self.clock()
        claims = tuple(self._claims(asking))
        taken = self.store.take(claims, now)
        if isinstance(taken, Refused):
            raise self._refusal(claims, taken, now)
        return Permit(claims, now, self._told(claims, taken, now) if self.tells else ())

    def settle(self, permit: Permit, code: str | None, tokens: int) -> None:
        """Count what a request used, now that it is over."""
        if code in UNSERVED:
            back = [attrs.evolve(claim, cost=-claim.cost) for claim in permit.claims]
            self.store.add(back, permit.at)
        elif tokens:
            used = [
                attrs.evolve(claim, cost=tokens)
                for claim in permit.claims
                if claim.limit.unit is Unit.TOKENS
            ]
            self.store.add(used, self.clock())

    def _claims(self, asking: Asking) -> Iterator[Claim]:
        for limit in self.limits:
            key = key_of(limit, asking)
            if key is not None:
                yield Claim(limit, key, int(limit.unit is Unit.REQUESTS))

    def _refusal(self, claims: Sequence[Claim], refused: Refused, now: float) -> GatewayError:
        limit = claims[refused.claim].limit
        wait = (
            (b"retry-after", str(math.ceil(refused.seconds)).encode()),
            (b"retry-after-ms", str(math.ceil(refused.seconds * 1000)).encode()),
        )
        told = _rate_headers(limit, 0, now) if self.tells else ()
        return GatewayError("rate_limited", f"no more than {limit.shown}", headers=wait + told)

    def _told(
        self, claims: tuple[Claim, ...], taken: Taken, now: float
    ) -> tuple[tuple[bytes, bytes], ...]:
        """The limit on requests that is reached first."""
        pairs = zip(taken.left, claims, strict=True)
        lefts = [(left, one.limit) for left, one in pairs if one.limit.unit is Unit.REQUESTS]
        if not lefts:
            return ()
        left, limit = min(lefts, key=itemgetter(0))
        return _rate_headers(limit, left, now)


def key_of(limit: RateLimit, asking: Asking) -> str | None:
    """Whose counter a request is on; None where the limit is not for it."""
    match limit.scope:
        case Scope.ALL:
            return ""
        case Scope.ADDRESS:
            return _network(asking, limit.proxies)
        case Scope.USER:
            return _user(asking, limit.headers)
        case Scope.GROUP:
            group = asking.caller.group
            return "" if (None if group is None else group.name) == limit.group else None


def _network(asking: Asking, proxies: int) -> str:
    address = client_address(asking.peer, asking.headers, proxies)
    if address is None:
        return NOWHERE
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, NETWORK_BITS), strict=False))


def _user(asking: Asking, names: tuple[str, ...]) -> str | None:
    if not asking.caller.is_believed:
        return None
    found = (name_in(asking.headers, name.encode()) for name in names)
    return next((name for name in found if name is not None), None)


def _rate_headers(limit: RateLimit, left: int, now: float) -> tuple[tuple[bytes, bytes], ...]:
    ends_in = limit.seconds - now % limit.seconds
    return (
        (b"x-ratelimit-limit", str(limit.most).encode()),
        (b"x-ratelimit-remaining", str(left).encode()),
        (b"x-ratelimit-reset", str(math.ceil(ends_in)).encode()),
    )


def estimated_tokens(asked: int, answered: int, events: int) -> int:
    """Tokens of a request and its answer, in bytes, where nobody counted; an event is one token."""
    return math.ceil(asked / BYTES_PER_TOKEN) + (events or math.ceil(answered / BYTES_PER_TOKEN))
