"""The attempts of one request: laws over generated failures, and examples."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.routing.backoff import RetryBudget
from kt.routing.course import (
    BROKEN,
    NO_HEAD,
    NOT_SENT,
    Course,
    Failure,
    soonest,
    status_failure,
)
from kt.routing.strategies import Candidate
from kt.routing.values import Breaker, Fallback, Retry, Routing, Trigger
from tests.support.routing import breaker, fallback, healths, retry


def status(number: int, advised: float | None = None) -> Failure:
    """A status that counts as a failure."""
    found = status_failure(number, advised)
    assert found is not None
    return found


def made(
    rules: Routing, count: int = 2, deadline: float = 100.0, rule: Breaker | None = None
) -> Course:
    """A course over targets called a, b, c."""
    many = tuple(Candidate(one, None) for one in healths(*"abcdef"[:count], rule=rule))
    return Course(many, rules, RetryBudget(0.0), lambda: 0.5, deadline)


def run(course: Course, failures: list[Failure], seconds: float = 0.0) -> list[tuple[str, float]]:
    """Who is asked after which wait, while every attempt fails in turn."""
    now, asked = 0.0, []
    attempt = course.first(now)
    for failure in failures:
        if attempt is None:
            break
        course.begin(attempt)
        asked.append((attempt.candidate.health.id, attempt.wait))
        now += attempt.wait + seconds
        attempt.candidate.health.failure(attempt.permit, now)
        attempt.candidate.health.leave()
        attempt = course.after(attempt, failure, now)
    return asked


@pytest.mark.parametrize(
    ("number", "triggers"),
    [
        (429, {Trigger.RATE_LIMIT}),
        (500, {Trigger.SERVER_ERROR, Trigger.INTERNAL_ERROR}),
        (503, {Trigger.SERVER_ERROR, Trigger.SERVICE_UNAVAILABLE}),
        (301, {Trigger.SERVER_ERROR}),
        (401, {Trigger.AUTH}),
    ],
)
def test_a_status_counts_as_what_it_means(number: int, triggers: set[Trigger]) -> None:
    assert status(number).triggers == triggers


def test_what_is_the_clients_business_counts_as_nothing() -> None:
    assert [status_failure(number) for number in (200, 400, 404, 422)] == [None] * 4


def test_without_rules_only_what_was_not_sent_is_tried_elsewhere() -> None:
    assert run(made(Routing()), [NOT_SENT] * 5) == [("a", 0.0), ("b", 0.0)]
    for failure in (NO_HEAD, BROKEN, status(429), status(503)):
        assert run(made(Routing()), [failure] * 5) == [("a", 0.0)]


def test_retries_come_first_then_the_next_target() -> None:
    rules = Routing(retry=retry(attempts=2), fallback=fallback(attempts=1))
    asked = run(made(rules, count=3), [status(503)] * 9)
    assert asked == [("a", 0.0), ("a", 0.5), ("b", 0.0), ("b", 0.5)]


def test_advice_lengthens_the_wait() -> None:
    rules = Routing(retry=retry(attempts=2))
    assert run(made(rules), [status(429, advised=4.0)] * 3) == [("a", 0.0), ("a", 4.0)]


def test_no_wait_begins_that_cannot_end_in_time() -> None:
    rules = Routing(retry=retry(attempts=5), fallback=fallback())
    asked = run(made(rules, deadline=0.4), [status(503)] * 9)
    assert asked == [("a", 0.0), ("b", 0.0)]


def test_a_target_whose_circuit_opens_is_not_retried() -> None:
    rules = Routing(retry=retry(attempts=5), fallback=fallback())
    asked = run(made(rules, rule=breaker(failures=2)), [status(503)] * 9)
    assert asked == [("a", 0.0), ("a", 0.5), ("b", 0.0), ("b", 0.5)]


def test_where_every_circuit_is_open_there_is_no_first_attempt() -> None:
    course = made(Routing(), rule=breaker(failures=1, cooldown=7.0))
    run(course, [NOT_SENT] * 2)
    again = Course(course.candidates, Routing(), RetryBudget(0.0), lambda: 0.5, 100.0)
    assert again.first(1.0) is None
    assert soonest(course.candidates, 1.0) == 6.0


def test_leave_that_was_never_used_is_given_back() -> None:
    course = made(Routing(), rule=breaker())
    attempt = course.first(0.0)
    assert attempt is not None
    assert attempt.candidate.health.under_way == 1
    course.close()
    course.close()
    assert attempt.candidate.health.under_way == 0


FAILURES = st.sampled_from(
    [
        NOT_SENT,
        NO_HEAD,
        BROKEN,
        status(429),
        status(429, 3.0),
        status(500),
        status(503),
        status(401),
    ]
)
TRIGGERS = st.frozensets(st.sampled_from(Trigger))
RETRIES = st.none() | st.builds(
    lambda attempts, triggers: retry(attempts=attempts, triggers=triggers),
    st.integers(1, 4),
    TRIGGERS,
)
FALLBACKS = st.none() | st.builds(fallback, st.integers(0, 3), TRIGGERS)


@attrs.define
class Naive:
    """The specification, with no state but where it is."""

    retry: Retry | None
    fallback: Fallback | None
    count: int
    deadline: float

    def run(self, failures: list[Failure], seconds: float) -> list[tuple[str, float]]:
        """Who is asked after which wait."""
        asked, now, at, tries, wait = [], 0.0, 0, 1, 0.0
        for failure in failures:
            asked.append(("abcdef"[at], wait))
            now += wait + seconds
            rule = self.retry
            wait = min(0.5 * 2.0 ** (tries - 1), 10.0)
            wait = min(10.0, max(failure.advised or 0.0, wait))
            is_left = rule is not None and tries < rule.attempts.value
            triggers = frozenset[Trigger]() if rule is None else rule.triggers
            if is_left and covered(failure, triggers) and now + wait < self.deadline:
                tries += 1
                continue
            most = self.count - 1 if self.fallback is None else self.fallback.attempts.value
            triggers = frozenset() if self.fallback is None else self.fallback.triggers
            if at + 1 >= self.count or at >= most or not covered(failure, triggers):
                break
            at, tries, wait = at + 1, 1, 0.0
        return asked


def covered(failure: Failure, triggers: frozenset[Trigger]) -> bool:
    """Whether a failure leads on."""
    return not failure.was_sent or bool(failure.triggers & triggers)


@given(
    st.lists(FAILURES, min_size=1, max_size=9),
    RETRIES,
    FALLBACKS,
    st.integers(1, 4),
    st.sampled_from([0.3, 2.0, 100.0]),
    st.sampled_from([0.0, 0.4]),
)
def test_attempts_are_those_of_the_specification(
    failures: list[Failure],
    again: Retry | None,
    elsewhere: Fallback | None,
    count: int,
    deadline: float,
    seconds: float,
) -> None:
    rules = Routing(retry=again, fallback=elsewhere)
    asked = run(made(rules, count, deadline), failures, seconds)
    assert asked == Naive(again, elsewhere, count, deadline).run(failures, seconds)
    of_each = 1 if again is None else again.attempts.value
    assert len(asked) <= of_each * count


def test_the_budget_ends_retries_of_everybody() -> None:
    rules = Routing(retry=retry(attempts=3, initial=0.001))
    budget, retries = RetryBudget(0.0), 0
    (one,) = healths("a")
    for _ in range(50):
        course = Course((Candidate(one, None),), rules, budget, lambda: 0.5, 100.0)
        retries += len(run(course, [status(503)] * 9)) - 1
    assert 10 <= retries <= 10 + 0.2 * 50 + 1
