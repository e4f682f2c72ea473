"""What the client sees of each failure, as a table: per node and kind of trouble, open or closed.

In: Plan. Out: one row for each way in which a node of this plan can fail. Statuses and codes come
from the table of refusals, so that the page cannot say what the gateway does not do.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import attrs

from kt.errors import REFUSALS
from kt.explain.applicability import only_when
from kt.explain.tables import section
from kt.plan import Access, Ask, Plan, Scan, Step, Target
from kt.policy import ACTING, Action, OnTrouble, Phase, Streams
from kt.routing.values import Trigger

TROUBLE = ("late", "failed", "unevaluable")

ADMISSION = (
    ("path", "no target speaks its format", "no_target"),
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
SHARES = (
    ("per_user", ("queue", "too many of one user", "user_limit")),
    ("per_team", ("queue", "too many of one team", "team_limit")),
)
"""What each optional limit of a plan's admission adds."""
NO_KEY = ("access", "no key, or a wrong one", "invalid_api_key")
MODEL = ("access", "a model that the group may not ask for", "model_not_allowed")
ADDRESS = ("access", "an address in no network", "address_not_allowed")
RATE = ("access", "a window is used up", "rate_limited")
LASTING = ("stream", "lasts too long", "stream_timeout")
TOKENS = ("body", "token numbers", "tokens_not_readable")
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
MOVES_ON: Mapping[str, Trigger | None] = MappingProxyType(
    {
        "connect_failed": None,
        "connect_timeout": None,
        "first_byte_timeout": Trigger.TIMEOUT,
        "upstream_5xx": Trigger.SERVER_ERROR,
        "upstream_auth": Trigger.AUTH,
    }
)
"""What can lead to the next target, and the trigger that it takes; None: nothing was sent."""


@attrs.frozen(kw_only=True)
class Failure:
    """One way to fail and what becomes of the request."""

    node: str
    trouble: str
    code: str | None = None
    """The refusal that the client gets; None where the request goes on, as `then` says."""
    status: int | None = None
    should_retry: bool | None = None
    retry_after: bool = False
    then: str = ""
    gate: str = "closed"
    """`open` where the text goes on unjudged."""
    only_when: str = ""
    """For which requests the node is asked; empty for all."""

    @property
    def seen(self) -> str:
        """What the client sees, in words."""
        if self.code is None:
            return self.then
        retry = {True: ", should retry", False: ", should not retry", None: ""}[self.should_retry]
        after = ", retry-after" if self.retry_after else ""
        return f"{self.status} {REFUSALS[self.code].type} / {self.code}{retry}{after}"


def failures(plan: Plan) -> tuple[Failure, ...]:
    """Every way in which a node of the plan can fail, in the order of a request's way."""
    steps = (*plan.steps(Phase.INPUT), *plan.steps(Phase.OUTPUT))
    acts = any(step.facts.can_block or step.facts.edits for step in plan.steps(Phase.INPUT))
    return (
        *(_refused(*row) for row in _access(plan.access)),
        *(_refused(*row) for row in (*ADMISSION, *((TOKENS,) if acts else ()))),
        *(_refused(*row) for name, row in SHARES if getattr(plan.admission, name) is not None),
        *(row for step in steps for row in _step(step)),
        *([] if plan.streaming.duration is None else [_refused(*LASTING)]),
        *(row for at, _ in enumerate(plan.targets) for row in _target(at, plan)),
    )


def _access(access: Access) -> Iterator[tuple[str, str, str]]:
    if access.networks is not None:
        yield ADDRESS
    if access.needs_keys and not any(group.is_default for group in access.groups):
        yield NO_KEY
    if access.rate_limits:
        yield RATE
    if any(group.allowed_models for group in access.groups):
        yield MODEL


def failures_text(plan: Plan) -> str:
    """The table as text; what ends an answer that has begun is one error frame with that code."""
    rows = ((one.node, one.trouble, one.seen, one.gate, one.only_when) for one in failures(plan))
    title = f"FAILURES {plan.name}@{plan.version}  (format may change; use --json)"
    return "\n".join(section(title, rows)) + "\n"


def _refused(node: str, trouble: str, code: str) -> Failure:
    row = REFUSALS[code]
    return Failure(
        node=node,
        trouble=trouble,
        code=code,
        status=row.status,
        should_retry=row.should_retry,
        retry_after=row.retry_after,
    )


def _step(step: Step) -> Iterator[Failure]:
    condition = only_when(step)
    for row in _trouble(step):
        yield attrs.evolve(row, only_when=condition)


def _trouble(step: Step) -> Iterator[Failure]:
    node = f"{step.phase.value} {step.name}"
    body = step.body
    if not isinstance(body, Scan | Ask):
        return
    # A service that may act may say any of them.
    asks = isinstance(body, Ask) and body.action in ACTING
    if asks or body.action is Action.BLOCK:
        yield _refused(
            node, "block", "input_blocked" if step.phase is Phase.INPUT else "output_blocked"
        )
    if asks or body.action is Action.ESCALATE:
        yield _refused(node, "escalate", "escalation_required")
    for trouble in TROUBLE:
        if step.on_trouble is OnTrouble.BLOCK:
            yield _refused(node, trouble, "policy_unavailable")
        else:
            yield Failure(node=node, trouble=trouble, then="goes on as if it allowed", gate="open")
    if step.phase is not Phase.INPUT and step.facts.streams is Streams.WHOLE:
        yield _refused(node, "a stream is asked for", "stream_not_judged")
    elif step.phase is not Phase.INPUT and body.action in ACTING:
        yield _refused(node, "a hold reaches its cap", "hold_exceeded")


def _target(at: int, plan: Plan) -> Iterator[Failure]:
    targets, target = plan.targets, plan.targets[at]
    node = f"upstream {target.id}"
    is_tried_alone = not any(_speak_alike(target, one) for one in targets[:at])
    has_next = any(_speak_alike(target, one) for one in targets[at + 1 :])
    goes_on = {code for code in MOVES_ON if _moves_on(code, plan)}
    for trouble, code in UPSTREAM:
        row = _refused(node, trouble, code)
        if code in goes_on and has_next:
            row = Failure(node=node, trouble=trouble, then="the next target is asked")
        elif not is_tried_alone:
            # Another target was tried before, so there is no use in coming again.
            row = attrs.evolve(row, should_retry=False)
        yield row
    yield Failure(node=node, trouble="another 4xx", then="is passed on as it is")
    if target.breaker is not None:
        trouble, then = "has failed too often", "the next target is asked, else 503 circuit_open"
        yield Failure(node=node, trouble=trouble, then=then)


def _moves_on(code: str, plan: Plan) -> bool:
    """Whether every failure of this kind leads to the next target."""
    fallback, trigger = plan.routing.fallback, MOVES_ON[code]
    return trigger is None or (fallback is not None and trigger in fallback.triggers)


def _speak_alike(one: Target, other: Target) -> bool:
    """Whether there are requests for which both can be asked."""
    return None in (one.format, other.format) or one.format == other.format
