"""The worst case of a plan: how long each part of an answer can take.

In: Plan. Out: bounds and their composition, in virtual time, with a client that sends and reads at
once; the CPU's own time and the closing of connections are not in them.

bound(node) = min(its own deadline, the composition of its children): the sum over a sequence and
over targets that are tried in turn, the maximum over steps that wait together.
"""

from collections.abc import Iterator

import attrs

from kt.plan import NotEnforced, Plan, Stage, Step
from kt.policy import Cost
from kt.routing.backoff import most_delay
from kt.units import show_duration


@attrs.frozen
class Bound:
    """The longest that something takes, None where nothing limits it, and why."""

    name: str
    seconds: float | None
    because: str


def bounds(plan: Plan) -> tuple[Bound, ...]:
    """The bounds of the verdict, the first byte, the gap between pieces and the whole answer."""
    limits = plan.timeouts
    request = limits.request.seconds
    until_head = verdict_bound(plan) + upstream_bound(plan)
    return (
        Bound("verdict", verdict_bound(plan), _verdict_because(plan)),
        Bound("provider's head", min(request, until_head), _head_because(plan)),
        Bound("first byte", request, _first_because(plan)),
        Bound("inter-chunk", limits.inter_chunk.seconds, _gap_because(plan)),
        Bound("total, whole", request, "request"),
        Bound("total, streamed", _streamed_total(plan), _streamed_because(plan)),
    )


def verdict_bound(plan: Plan) -> float:
    """From the request's arrival to the decision on it."""
    judged = plan.timeouts.queue.seconds + phase_bound(plan.input, plan)
    return min(plan.timeouts.request.seconds, judged)


def phase_bound(stages: tuple[Stage, ...], plan: Plan) -> float:
    """The stages of a phase, one after the other, within the policy budget."""
    return min(plan.timeouts.policy.seconds, sum(stage_bound(stage) for stage in stages))


def stage_bound(stage: Stage) -> float:
    """What runs here one after the other, then the slowest of what waits together."""
    steps = [step for step in stage.steps if not isinstance(step.body, NotEnforced)]
    here = sum(step.limit.seconds for step in steps if not _waits(step))
    return here + max((step.limit.seconds for step in steps if _waits(step)), default=0.0)


def upstream_bound(plan: Plan) -> float:
    """Every attempt but the last fails as late as it can, with the waits between; the last one
    answers late."""
    before = asked_at_most(plan) - 1
    one = plan.timeouts.connect.seconds + plan.timeouts.first_byte.seconds
    return before * (_given_up(plan) + _again_bound(plan)) + _again_bound(plan) + one


def asked_at_most(plan: Plan) -> int:
    """How many targets one request may be asked of."""
    by_name = {group.name: group for group in plan.routing.groups}
    sizes = [len(plan.targets)]
    for group in plan.routing.groups:
        size, at = len(group.members), group
        while at.fallback is not None:
            at = by_name[at.fallback]
            size += len(at.members)
        sizes.append(size)
    fallback = plan.routing.fallback
    return min(max(sizes), max(sizes) if fallback is None else 1 + fallback.attempts.value)


def _given_up(plan: Plan) -> float:
    """The longest that a target can take to fail in a way that leads to the next one."""
    fallback, limits = plan.routing.fallback, plan.timeouts
    if fallback is None or not fallback.triggers:
        return limits.connect.seconds
    return limits.connect.seconds + limits.first_byte.seconds


def _again_bound(plan: Plan) -> float:
    """The retries of one target before its last attempt, with their waits."""
    retry, limits = plan.routing.retry, plan.timeouts
    if retry is None:
        return 0.0
    one = limits.connect.seconds + limits.first_byte.seconds
    count = retry.attempts.value - 1
    return sum(one + most_delay(retry, at) for at in range(1, count + 1))


def unreachable(plan: Plan) -> Iterator[str]:
    """What cannot happen any more, or cannot use its own limit, if all before it takes its time."""
    request = plan.timeouts.request.seconds
    for at, target in enumerate(plan.targets[: asked_at_most(plan)], start=1):
        before = (at - 1) * (_given_up(plan) + _again_bound(plan))
        if verdict_bound(plan) + before >= request:
            yield (
                f"target {at} ({target.id}) can never start inside request"
                f" {show_duration(request)} if all before it takes its time"
            )
    for stages in (plan.input, plan.output):
        yield from _starved(stages, plan)


def _starved(stages: tuple[Stage, ...], plan: Plan) -> Iterator[str]:
    budget = plan.timeouts.policy
    spent = 0.0
    for stage in stages:
        for step in stage.steps:
            # A limit that nobody set is the budget itself; that it is shared needs no warning.
            is_own = step.limit.origin != budget.origin
            if isinstance(step.body, NotEnforced):
                continue
            if is_own and spent + step.limit.seconds > budget.seconds:
                yield (
                    f"{step.name} can never use its {show_duration(step.limit.seconds)} if all"
                    f" before it takes its time: policy {show_duration(budget.seconds)}"
                )
        spent += stage_bound(stage)


def _waits(step: Step) -> bool:
    return step.facts.cost is not Cost.INLINE


def _verdict_because(plan: Plan) -> str:
    parts = [
        f"queue {show_duration(plan.timeouts.queue.seconds)}",
        f"input policies {show_duration(phase_bound(plan.input, plan))}",
    ]
    return _within(" + ".join(parts), plan)


def _head_because(plan: Plan) -> str:
    limits = plan.timeouts
    asked = asked_at_most(plan)
    connect = f"connect {show_duration(limits.connect.seconds)}"
    first_byte = f"first_byte {show_duration(limits.first_byte.seconds)}"
    if plan.routing.retry is None and _given_up(plan) == limits.connect.seconds:
        return _within(f"verdict + {connect} x {asked} + {first_byte}", plan)
    retry = plan.routing.retry
    each = f"{asked} targets"
    if retry is not None:
        most = show_duration(retry.max_delay.seconds)
        each = f"{each} x {retry.attempts.value} attempts, up to {most} apart"
    return _within(f"verdict + ({connect} + {first_byte}) x {each}", plan)


def _within(parts: str, plan: Plan) -> str:
    return f"{parts}, inside request {show_duration(plan.timeouts.request.seconds)}"


def _gap_because(plan: Plan) -> str:
    if plan.keep_answer_whole:
        return "inter_chunk, between the provider's pieces; the client gets one piece"
    return "inter_chunk, between the provider's pieces; held text adds the gaps that it waits for"


def _first_because(plan: Plan) -> str:
    because = "request: the first text may be held until it is judged"
    flush = plan.streaming.flush
    if flush is None:
        return because
    return f"{because}, and wait for more for {show_duration(flush.seconds)} (flush_interval)"


def _streamed_total(plan: Plan) -> float | None:
    request, duration = plan.timeouts.request.seconds, plan.streaming.duration
    if plan.keep_answer_whole:
        return request
    return None if duration is None else request + duration.seconds


def _streamed_because(plan: Plan) -> str:
    if plan.keep_answer_whole:
        return "request: the answer is collected and sent whole"
    if plan.streaming.duration is not None:
        return "request until the first byte, then max_duration"
    return "after the first byte only inter_chunk governs"
