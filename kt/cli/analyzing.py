"""`kt config compile --analyze`: what the input phase says of one request, and how fast.

In: a plan and a request's body in a file. Out: a row per check with its verdict and microseconds
beside the estimate that ordered it. Never: the request's text; rule ids and span lengths only.
"""

from functools import partial
from pathlib import Path

import trio

from kt.compiler import Compiled
from kt.compiler.optimizer.cheapest_first import estimated_seconds
from kt.errors import GatewayError, UsageError
from kt.exchange import Segment
from kt.explain.tables import section
from kt.plan import Plan
from kt.policy import Outcome
from kt.runtime.engine import THREADS, PolicyBudget, bind, judge
from kt.runtime.settle import Decision, Judged
from kt.wire import chat
from kt.wire.json_body import parse_strict


def analyze(compiled: Compiled, path: Path) -> str:
    """The table for one request. Raises UsageError where it is none."""
    plan = compiled.plan
    decision = trio.run(partial(_judged, plan, _segments(path, plan)))
    rows = [HEADER, *(_row(compiled, one) for one in decision.judged)]
    return "\n".join([*section(f"input phase of {path}", rows), _ending(decision)]) + "\n"


HEADER = ("policy", "verdict", "rule", "bytes found", "measured", "estimated")


def _segments(path: Path, plan: Plan) -> tuple[Segment, ...]:
    try:
        value = parse_strict(_read(path, plan.sizes.request_body.value))
        chat.check_request(value)
        return chat.request_segments(value)
    except GatewayError as error:
        hint = "give the body of a request to /v1/chat/completions"
        raise UsageError(f"{path}: {error.message} ({error.code})", hint) from None


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as opened:
            body = opened.read(limit + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from None
    if len(body) > limit:
        raise GatewayError("body_too_large", f"the request body is larger than {limit} bytes")
    return body


async def _judged(plan: Plan, segments: tuple[Segment, ...]) -> Decision:
    """Judge twice and keep the second: the first pays for what the engine builds on first use."""
    stages = bind(plan.input)
    threads = trio.CapacityLimiter(THREADS)
    await judge(stages, segments, PolicyBudget(plan.timeouts.policy.seconds, threads))
    return await judge(stages, segments, PolicyBudget(plan.timeouts.policy.seconds, threads))


def _row(compiled: Compiled, one: Judged) -> tuple[str, ...]:
    verdict = one.verdict
    return (
        one.step.name,
        verdict.outcome.value,
        verdict.rule or "-",
        ", ".join(map(str, verdict.spans)) or "-",
        f"{one.seconds * 1e6:.0f} us",
        f"{estimated_seconds(one.step, compiled.program.profile) * 1e6:.0f} us",
    )


def _ending(decision: Decision) -> str:
    if decision.step is not None:
        return f"the request ends here: {decision.outcome.value} by {decision.step.name}"
    if decision.outcome is Outcome.REDACT:
        return f"the request goes on, edited in {len(decision.edits)} places"
    return "the request goes on as it came"
