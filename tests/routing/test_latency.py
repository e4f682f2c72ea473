"""The rolling window of a target's latencies."""

from kt.routing.latency import MOST, LatencyWindow


def test_what_is_older_than_the_window_is_forgotten() -> None:
    window = LatencyWindow(10.0)
    window.add(0.0, 1.0)
    window.add(5.0, 3.0)
    assert (window.mean(10.0, 2), window.mean(10.1, 1), window.mean(10.1, 2)) == (2.0, 3.0, None)
    assert (window.mean(16.0, 0), window.quantile(16.0, 0.5)) == (None, None)


def test_quantiles_are_measurements() -> None:
    window = LatencyWindow(10.0)
    for took in (4.0, 1.0, 3.0, 2.0):
        window.add(0.0, took)
    assert [window.quantile(0.0, share) for share in (0.0, 0.5, 0.99)] == [1.0, 3.0, 4.0]


def test_memory_is_bounded() -> None:
    window = LatencyWindow(10.0)
    for at in range(2 * MOST):
        window.add(0.0, float(at))
    assert len(window.values(0.0)) == MOST
