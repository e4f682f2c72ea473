"""What the client sees of each failure, as a table: per node and kind of trouble, open or closed.

In: Plan. Out: one row for each way in which a node of this plan can fail. Statuses and codes come
from the table of refusals, so that the page cannot say what the gateway does not do.
"""

from collections.abc import Iterator

import attrs

from kt.errors import REFUSALS
from kt.explain.applicability import only_when
from kt.explain.tables import section
from kt.plan import Plan, Scan, Step, Target
from kt.policy import Action, OnTrouble, Phase

TROUBLE = ("late", "failed", "unevaluable")

ADMISSION = (
    ("queue", "full", "queue_full"),
    ("queue", "no slot in time", "queue_timeout"),
    ("body", "not JSON", "invalid_json"),
    ("body", "ambiguous JSON", "ambiguous_json"),
    ("body", "wrong shape", "invalid_shape"),
    ("body", "too large", "body_too_large"),
    ("body", "encoded", "content_encoding"),
    ("request", "longer than its limit", "request_timeout"),
    ("gateway", "drains", "draining"),
    ("gateway", "a bug", "internal_error"),
)
UPSTREAM = (
    ("cannot be reached", "connect_failed"),
    ("no connection in time", "connect_timeout"),
    ("no answer in time", "first_byte_timeout"),
    ("5xx", "upstream_5xx"),
    ("401 or 403", "upstream_auth"),
    ("an unusable answer", "bad_response"),
    ("stalls", "inter_chunk_timeout"),
    ("is cut off", "upstream_cut"),
)
BEFORE_ANYTHING_IS_SENT = frozenset({"connect_failed", "connect_timeout"})


@attrs.frozen
class Failure:
    """One way to fail and what becomes of the request."""

    node: str
    trouble: str
    seen: str
    gate: str
    """`open` where the text goes on unjudged, else `closed`."""
    only_when: str = ""
    """For which requests the node is asked; empty for all."""


def failures(plan: Plan) -> tuple[Failure, ...]:
    """Every way in which a node of the plan can fail, in the order of a request's way."""
    steps = (*plan.steps(Phase.INPUT), *plan.steps(Phase.OUTPUT))
    return (
        *(Failure(node, trouble, _refusal(code), "closed") for node, trouble, code in ADMISSION),
        *(row for step in steps for row in _step(step)),
        *(row for target in plan.targets for row in _target(target, plan)),
    )


def failures_text(plan: Plan) -> str:
    """The table as text; what ends an answer that has begun is one error frame with that code."""
    rows = (attrs.astuple(one) for one in failures(plan))
    title = f"FAILURES {plan.name}@{plan.version}  (format may change)"
    return "\n".join(section(title, rows)) + "\n"


def _step(step: Step) -> Iterator[Failure]:
    condition = only_when(step)
    for row in _trouble(step):
        yield attrs.evolve(row, only_when=condition)


def _trouble(step: Step) -> Iterator[Failure]:
    node = f"{step.phase.value} {step.name}"
    body = step.body
    if not isinstance(body, Scan):
        return
    if body.action is Action.BLOCK:
        code = "input_blocked" if step.phase is Phase.INPUT else "output_blocked"
        yield Failure(node, "block", _refusal(code), "closed")
    if body.action is Action.ESCALATE:
        yield Failure(node, "escalate", _refusal("escalation_required"), "closed")
    for trouble in TROUBLE:
        if step.on_trouble is OnTrouble.BLOCK:
            yield Failure(node, trouble, _refusal("policy_unavailable"), "closed")
        else:
            yield Failure(node, trouble, "goes on as if it allowed", "open")
    if step.phase is not Phase.INPUT and body.action in (Action.BLOCK, Action.REDACT):
        yield Failure(node, "a hold reaches its cap", _refusal("hold_exceeded"), "closed")


def _target(target: Target, plan: Plan) -> Iterator[Failure]:
    is_last = target is plan.targets[-1]
    for trouble, code in UPSTREAM:
        goes_on = code in BEFORE_ANYTHING_IS_SENT and not is_last
        seen = "the next target is asked" if goes_on else _refusal(code)
        yield Failure(f"upstream {target.id}", trouble, seen, "closed")


def _refusal(code: str) -> str:
    row = REFUSALS[code]
    retry = {True: ", should retry", False: ", should not retry", None: ""}[row.should_retry]
    return f"{row.status} {row.type} / {code}{retry}{', retry-after' if row.retry_after else ''}"
