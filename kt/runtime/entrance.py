"""Everything a request must pass before its body is read: address, key, rates; and browsers' rules.

In: a plan's access, the client keys, counters and the time of day. Out: who asks, and a permit.
Never: a plan that says nothing about access; such a gateway has no entrance.
"""

from collections.abc import Callable, Iterable, Mapping

import attrs

from kt.plan import Access
from kt.runtime.access import Caller, Doorkeeper
from kt.runtime.cors import CorsRules, HeaderPairs
from kt.runtime.identity import Headers, Identity
from kt.runtime.rates import Asking, Permit, Rates, estimated_tokens
from kt.runtime.windows import WindowStore

OPEN = frozenset({"/health", "/healthz", "/readyz"})
"""What asks whether the gateway lives has no address that anybody could list."""

NO_PERMIT = Permit((), 0.0)


@attrs.frozen
class Used:
    """What a request came to."""

    code: str | None
    tokens: int | None
    """As the provider counted them; None where it did not."""
    asked: int
    """Bytes of the request's body."""
    answered: int
    """Bytes of the provider's answer that were sent."""
    events: int
    """How many pieces of a streamed answer were sent."""


@attrs.frozen
class Entrance:
    """The access of a plan, bound."""

    doorkeeper: Doorkeeper
    rates: Rates
    cors: CorsRules | None

    @classmethod
    def of(
        cls,
        access: Access,
        client_keys: Mapping[str, Iterable[str]],
        store: WindowStore,
        clock: Callable[[], float],
    ) -> "Entrance | None":
        """None where the plan says nothing about access, so that this costs nothing there."""
        if access == Access():
            return None
        return cls(
            Doorkeeper(access, client_keys),
            Rates(access.rate_limits, store, clock, access.tells_rates),
            None if access.cors is None else CorsRules(access.cors),
        )

    def take_over(self) -> None:
        """From now on these limits are the gateway's; what they have counted already stands."""
        self.rates.store.follow(self.rates.limits)

    def caller(self, headers: Headers) -> Caller:
        """Who asks."""
        return self.doorkeeper.caller(headers)

    def demand(self, path: str, peer: str, headers: Headers, caller: Caller) -> None:
        """Raise GatewayError where this address, or who shows this key, may not ask for a path."""
        if path not in OPEN:
            self.doorkeeper.demand_address(peer, headers)
        if path.startswith("/v1/"):
            self.doorkeeper.demand_key(caller)

    def admit(self, peer: str, headers: Headers, identity: Identity, caller: Caller) -> Permit:
        """Count a request. Raises GatewayError `rate_limited`."""
        if not self.rates.limits:
            return NO_PERMIT
        return self.rates.admit(Asking(peer, headers, identity, caller))

    def settle(self, permit: Permit, used: Used) -> None:
        """Count what a request used."""
        if not permit.claims:
            return
        tokens = used.tokens
        if tokens is None:
            was_answered = used.answered or used.events
            sizes = (used.asked, used.answered, used.events)
            tokens = estimated_tokens(*sizes) if was_answered else 0
        self.rates.settle(permit, used.code, tokens)

    def browser_headers(self, headers: Headers) -> HeaderPairs:
        """What every answer says to browsers."""
        return () if self.cors is None else self.cors.answer(headers)

    def preflight(self, method: str, peer: str, headers: Headers) -> HeaderPairs | None:
        """The answer to a browser that asks if it may ask; None for every other request.

        It shows no key, so that none is asked for. Raises GatewayError `address_not_allowed`.
        """
        if self.cors is None or not self.cors.is_preflight(method, headers):
            return None
        self.doorkeeper.demand_address(peer, headers)
        return self.cors.preflight(headers)
