"""Bounds of the worst case: sums, maxima, deadlines around them, and what they leave no time."""

import attrs
import pytest

from kt.explain.bounds import bounds, phase_bound, stage_bound, unreachable, verdict_bound
from kt.plan import NotEnforced, Plan, Stage, Step
from kt.policy import Cost, Phase
from tests.support.plans import limit, plan, scan_step, target


def step(name: str, seconds: float, cost: Cost = Cost.INLINE) -> Step:
    one = scan_step(name, "a", phase=Phase.INPUT, seconds=seconds)
    return attrs.evolve(one, facts=attrs.evolve(one.facts, cost=cost))


def of(whole: Plan) -> dict[str, float | None]:
    return {one.name: one.seconds for one in bounds(whole)}


def test_a_stage_takes_what_runs_here_and_the_slowest_of_what_waits() -> None:
    members = (
        step("a", 0.1),
        step("b", 0.2),
        step("c", 0.5, Cost.NETWORK),
        step("d", 0.7, Cost.THREAD),
    )
    assert stage_bound(Stage(steps=members)) == pytest.approx(1.0)


def test_what_is_not_performed_takes_no_time() -> None:
    idle = attrs.evolve(step("idle", 1.5), body=NotEnforced(reason="not yet"))
    assert stage_bound(Stage(steps=(idle, step("a", 0.1)))) == pytest.approx(0.1)
    own = attrs.evolve(idle, limit=attrs.evolve(limit(1.0), origin="kt.yaml:3:4"))
    assert list(unreachable(plan(step("slow", 1.5), own))) == []


def test_stages_follow_each_other_inside_the_policy_budget() -> None:
    stages = tuple(Stage(steps=(step("a", 0.8, Cost.NETWORK),)) for _ in range(2))
    assert phase_bound(stages, plan()) == pytest.approx(1.6)
    assert phase_bound(stages * 2, plan()) == 2.0


def test_the_verdict_is_bounded_by_queue_and_policies_or_the_request() -> None:
    one = step("a", 0.5)
    assert verdict_bound(plan(one, queue=3.0)) == pytest.approx(3.5)
    assert verdict_bound(plan(one, queue=30.0, request=20.0)) == 20.0


def test_targets_are_tried_one_after_the_other() -> None:
    three = (target("a"), target("b"), target("c"))
    found = of(plan(targets=three, queue=1.0, connect=2.0, first_byte=4.0))
    assert found["provider's head"] == pytest.approx(1 + 3 * 2 + 4)
    assert found["first byte"] == found["total, whole"] == 120.0


def test_only_a_stream_has_no_total_unless_it_is_kept_whole() -> None:
    assert of(plan())["total, streamed"] is None
    assert of(plan(keep_answer_whole=True))["total, streamed"] == 120.0
    assert of(plan(inter_chunk=7.0))["inter-chunk"] == 7.0


def test_a_target_that_can_never_start_is_named() -> None:
    three = (target("a"), target("b"), target("c"))
    whole = plan(targets=three, queue=10.0, connect=5.0, request=20.0)
    assert list(unreachable(whole)) == [
        "target 3 (c) can never start inside request 20s if all before it takes its time"
    ]
    assert list(unreachable(plan(targets=three))) == []


def test_a_policy_that_cannot_use_its_own_limit_is_named() -> None:
    slow = step("slow", 1.5)
    own = attrs.evolve(step("own", 1.0), limit=attrs.evolve(limit(1.0), origin="kt.yaml:3:4"))
    (warning,) = unreachable(plan(slow, own))
    assert warning.startswith("own can never use its 1s")
    assert list(unreachable(plan(own, slow))) == []
