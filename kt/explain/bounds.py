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
        Bound("first byte", request, "request: the first text may be held until it is judged"),
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
    """Every target but the last cannot be connected to; the last one answers late."""
    return len(plan.targets) * plan.timeouts.connect.seconds + plan.timeouts.first_byte.seconds


def unreachable(plan: Plan) -> Iterator[str]:
    """What cannot happen any more, or cannot use its own limit, if all before it takes its time."""
    request = plan.timeouts.request.seconds
    for at, target in enumerate(plan.targets, start=1):
        start = verdict_bound(plan) + (at - 1) * plan.timeouts.connect.seconds
        if start >= request:
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
    connect = f"connect {show_duration(limits.connect.seconds)} x {len(plan.targets)}"
    first_byte = f"first_byte {show_duration(limits.first_byte.seconds)}"
    return _within(f"verdict + {connect} + {first_byte}", plan)


def _within(parts: str, plan: Plan) -> str:
    return f"{parts}, inside request {show_duration(plan.timeouts.request.seconds)}"


def _gap_because(plan: Plan) -> str:
    if plan.keep_answer_whole:
        return "inter_chunk, between the provider's pieces; the client gets one piece"
    return "inter_chunk, between the provider's pieces; held text adds the gaps that it waits for"


def _streamed_total(plan: Plan) -> float | None:
    return plan.timeouts.request.seconds if plan.keep_answer_whole else None


def _streamed_because(plan: Plan) -> str:
    if plan.keep_answer_whole:
        return "request: the answer is collected and sent whole"
    return "after the first byte only inter_chunk governs"
