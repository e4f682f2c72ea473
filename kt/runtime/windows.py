"""Count in fixed windows of time: at most so much in each, whoever asks and in whatever order.

In: claims, each on one limit for one key, and the time. Out: all of them taken, or none. Never:
waits, so that nothing comes between looking and taking; remembers a window that is over, or more
keys than a limit may have.
"""

from collections.abc import Sequence
from typing import Protocol

import attrs

from kt.plan import RateLimit

KEYS = 50_000
"""How many keys one limit tells apart in one window. All beyond them share one counter: each of
them then gets less than it might, and none of them more."""


@attrs.frozen
class Claim:
    """What a request wants of one limit."""

    limit: RateLimit
    key: str
    cost: int
    """0 takes nothing, and asks that there is something left."""


@attrs.frozen
class Taken:
    """Everything was taken."""

    left: tuple[int, ...]
    """How much of each claim's limit is left."""


@attrs.frozen
class Refused:
    """Nothing was taken."""

    claim: int
    """The place of the claim that has to wait longest."""
    seconds: float
    """Until its window ends."""


class WindowStore(Protocol):
    """The counters of a gateway: the seam for stores that several processes share."""

    def take(self, claims: Sequence[Claim], now: float) -> Taken | Refused:
        """Take every claim or none, in one step."""

    def add(self, claims: Sequence[Claim], now: float) -> None:
        """Count what has happened, or what did not happen after all, at a time."""

    def follow(self, limits: Sequence[RateLimit]) -> None:
        """Forget the limits that a new plan has not; those that it has as well go on counting."""


class MemoryWindows:
    """The counters of one process."""

    def __init__(self, keys: int = KEYS) -> None:
        self._keys = keys
        self._windows: dict[RateLimit, _Window] = {}

    def __repr__(self) -> str:
        return f"<MemoryWindows {self.tracked} keys>"

    @property
    def tracked(self) -> int:
        """How many keys are remembered."""
        return sum(len(window.used) for window in self._windows.values())

    def follow(self, limits: Sequence[RateLimit]) -> None:
        """Forget the limits that a new plan has not; those that it has as well go on counting."""
        kept = self._windows.keys() & set(limits)
        self._windows = {limit: self._windows[limit] for limit in kept}

    def take(self, claims: Sequence[Claim], now: float) -> Taken | Refused:
        """Take every claim or none, in one step."""
        windows = [self._window(claim.limit) for claim in claims]
        refused = [
            (window.ends_in(now), at)
            for at, (claim, window) in enumerate(zip(claims, windows, strict=True))
            if window.left(claim.key, now) < max(claim.cost, 1)
        ]
        if refused:
            seconds, at = max(refused)
            return Refused(at, seconds)
        self.add(claims, now)
        pairs = zip(claims, windows, strict=True)
        return Taken(tuple(window.left(claim.key, now) for claim, window in pairs))

    def add(self, claims: Sequence[Claim], now: float) -> None:
        """Count what has happened, or what did not happen after all, at a time."""
        for claim in claims:
            self._window(claim.limit).add(claim.key, claim.cost, now)

    def _window(self, limit: RateLimit) -> "_Window":
        window = self._windows.get(limit)
        if window is None:
            window = self._windows[limit] = _Window(limit.most, limit.seconds, self._keys)
        return window


class _Window:
    """The window of one limit that is open now: all its keys share its beginning and its end."""

    def __init__(self, most: int, seconds: int, keys: int) -> None:
        self._most = most
        self._seconds = seconds
        self._keys = keys
        self._number = -1
        self.used: dict[str | None, int] = {}
        """None stands for all keys beyond those that are told apart."""

    def left(self, key: str, now: float) -> int:
        self._open(now)
        return max(0, self._most - self.used.get(self._place(key), 0))

    def add(self, key: str, cost: int, now: float) -> None:
        self._open(now)
        if cost and now // self._seconds == self._number:  # what is over needs no correction
            place = self._place(key)
            self.used[place] = max(0, self.used.get(place, 0) + cost)

    def ends_in(self, now: float) -> float:
        return (self._number + 1) * self._seconds - now

    def _open(self, now: float) -> None:
        number = int(now // self._seconds)
        if number > self._number:
            self._number = number
            self.used = {}

    def _place(self, key: str) -> str | None:
        # A key does not change its place: within one window nothing is forgotten.
        return key if key in self.used or len(self.used) < self._keys else None
