"""The living state of one target."""

from kt.routing.health import FREE
from tests.support.routing import breaker, healths


def test_a_target_without_a_breaker_is_always_asked() -> None:
    (one,) = healths("a")
    for _ in range(50):
        assert one.admit(0.0) is FREE
        one.failure(FREE, 0.0)
        one.leave()
    assert (one.state(0.0), one.retry_in(0.0), one.admits(0.0)) == ("closed", 0.0, True)
    assert (one.asked, one.failed, one.under_way) == (50, 50, 0)


def test_one_with_a_breaker_is_left_alone_after_its_failures() -> None:
    (one,) = healths("a", rule=breaker(failures=1, cooldown=5.0))
    permit = one.admit(0.0)
    assert permit is not None
    one.failure(permit, 0.0)
    one.leave()
    assert (one.admits(1.0), one.admit(1.0), one.state(1.0), one.retry_in(1.0)) == (
        *(False, None, "open"),
        4.0,
    )
    probe = one.admit(5.0)
    assert probe is not None
    one.dropped(probe)
    probe = one.admit(5.0)
    assert probe is not None
    one.passed(probe)
    assert (one.state(5.0), one.succeeded, one.under_way) == ("closed", 1, 2)
