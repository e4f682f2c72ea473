"""A condition in words."""

from kt.explain.applicability import only_when
from tests.support.plans import scan_step


def test_a_condition_is_shown_as_it_would_be_written() -> None:
    step = scan_step("one", "a", when="not (request.stream or exists(user.id))")
    assert only_when(step) == "only when not (request.stream == true or exists(user.id))"


def test_a_step_for_every_request_says_nothing() -> None:
    assert only_when(scan_step("one", "a")) == ""
