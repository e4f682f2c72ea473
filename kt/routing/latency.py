"""How long a target took lately: a rolling window of measurements, bounded in time and number.

In: seconds and when they were measured. Out: the mean, quantiles. Never: a clock of its own.
"""

from collections import deque

MOST = 1024
"""How many measurements are kept: of a busy target the latest ones."""


class LatencyWindow:
    """The measurements of one target."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, float]] = deque(maxlen=MOST)
        """When, and how long."""

    def __repr__(self) -> str:
        return f"<LatencyWindow of {len(self._kept)}>"

    def add(self, now: float, took: float) -> None:
        """Note how long one attempt took."""
        self._kept.append((now, took))

    def values(self, now: float) -> tuple[float, ...]:
        """What was measured within the window, oldest first."""
        while self._kept and self._kept[0][0] < now - self._seconds:
            self._kept.popleft()
        return tuple(took for _, took in self._kept)

    def mean(self, now: float, least: int) -> float | None:
        """The mean of what was measured; None for fewer than `least` measurements."""
        values = self.values(now)
        return sum(values) / len(values) if values and len(values) >= least else None

    def quantile(self, now: float, share: float) -> float | None:
        """The measurement below which that share of them lies; None without any."""
        values = sorted(self.values(now))
        return values[min(len(values) - 1, int(share * len(values)))] if values else None
