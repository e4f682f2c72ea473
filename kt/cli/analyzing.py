"""`kt config compile --analyze`: what the input phase says of one request, and how fast.

In: a plan, a request's body in a file and its headers. Out: a row per check with its verdict and
microseconds beside the estimate that ordered it, and what is not for this request. Never: the
request's text; rule ids and span lengths only.
"""

from functools import partial
from pathlib import Path
from types import MappingProxyType

import attrs
import trio

from kt.cli.views import View
from kt.compiler import Compiled
from kt.compiler.optimizer.cheapest_first import estimated_seconds
from kt.errors import GatewayError, UsageError
from kt.explain.tables import section
from kt.filters.evaluation import compile_filter
from kt.filters.facts import FilterFacts
from kt.filters.printing import show
from kt.plan import Ask, NotEnforced, Plan
from kt.policy import Outcome, Phase
from kt.runtime.conditions import ClientRequest, FactReader
from kt.runtime.engine import THREADS, PolicyBudget, bind, judge, local
from kt.runtime.identity import Headers, Identity
from kt.runtime.settle import Decision, Judged
from kt.wire.chat import CHAT
from kt.wire.json_body import parse_strict

NO_HEADERS: Headers = MappingProxyType({})

HEADER = ("policy", "verdict", "rule", "bytes found", "measured", "estimated", "estimate from")


@attrs.frozen(kw_only=True)
class Check:
    """One policy's answer and its time."""

    policy: str
    verdict: str
    rule: str | None
    spans: tuple[int, ...]
    microseconds: int
    estimated_microseconds: int
    estimate: str
    """`default`, or `profile` where an audit log measured it."""


@attrs.frozen(kw_only=True)
class Elsewhere:
    """A policy that is not for this request, and for which it is."""

    policy: str
    when: str


@attrs.frozen(kw_only=True)
class Analysis:
    """What becomes of one request."""

    request: str
    outcome: str
    policy: str | None
    edits: int
    checks: tuple[Check, ...]
    not_for_this_request: tuple[Elsewhere, ...]
    not_asked: tuple[str, ...]
    """Policies that a block came before."""
    over_the_network: tuple[str, ...] = ()
    """Policies that ask a service, which nobody does here."""


def analyze(compiled: Compiled, path: Path, headers: Headers = NO_HEADERS) -> Analysis:
    """Judge one request. Raises UsageError where it is none."""
    plan = compiled.plan
    request = _request(path, headers, plan)
    facts = FactReader.of(plan).read(request)
    decision = trio.run(partial(_judged, plan, request, facts))
    asked = {one.step.name for one in decision.judged}
    steps = [
        step for step in plan.steps(Phase.INPUT) if not isinstance(step.body, NotEnforced | Ask)
    ]
    elsewhere = {
        step.name: show(step.when)
        for step in steps
        if step.when is not None and not compile_filter(step.when)(facts)
    }
    return Analysis(
        request=str(path),
        outcome=decision.outcome.value,
        policy=None if decision.step is None else decision.step.name,
        edits=len(decision.edits),
        checks=tuple(_check(compiled, one) for one in decision.judged),
        not_for_this_request=tuple(
            Elsewhere(policy=name, when=when) for name, when in elsewhere.items()
        ),
        not_asked=tuple(
            step.name for step in steps if step.name not in asked and step.name not in elsewhere
        ),
        over_the_network=tuple(
            step.name for step in plan.steps(Phase.INPUT) if isinstance(step.body, Ask)
        ),
    )


def analysis_text(analysis: Analysis) -> str:
    """The analysis as a table."""
    rows = [HEADER, *(_row(one) for one in analysis.checks)]
    elsewhere = (
        f"not for this request: {one.policy}, only when {one.when}"
        for one in analysis.not_for_this_request
    )
    lines = [*section(f"input phase of {analysis.request}", rows), *elsewhere]
    if analysis.not_asked:
        lines.append(f"not asked any more: {', '.join(analysis.not_asked)}")
    if analysis.over_the_network:
        lines.append(f"not asked here, over the network: {', '.join(analysis.over_the_network)}")
    return "\n".join([*lines, _ending(analysis)]) + "\n"


def analysis_view(path: Path, headers: tuple[str, ...]) -> View:
    """One request, with headers as `NAME: VALUE`, as a view. Raises UsageError where one is not."""
    sent = MappingProxyType(dict(map(_header, headers)))
    return View(
        "analyze",
        "",
        lambda compiled: analysis_text(analyze(compiled, path, sent)),
        lambda compiled: analyze(compiled, path, sent),
    )


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not (colon and name.strip()):
        # The text may hold a key: it is not repeated.
        raise UsageError("a header has no name and value", "write --header 'x-env: prod'")
    return name.strip().lower().encode(), value.strip().encode()


def _request(path: Path, headers: Headers, plan: Plan) -> ClientRequest:
    try:
        value = parse_strict(_read(path, plan.sizes.request_body.value))
        CHAT.check_request(value)
        segments = CHAT.request_segments(value)
    except GatewayError as error:
        hint = f"give the body of a request to {CHAT.path}"
        raise UsageError(f"{path}: {error.message} ({error.code})", hint) from None
    return ClientRequest(
        path=CHAT.path,
        headers=headers,
        identity=Identity.of(headers),
        body=value,
        segments=segments,
    )


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as opened:
            body = opened.read(limit + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from None
    if len(body) > limit:
        raise GatewayError("body_too_large", f"the request body is larger than {limit} bytes")
    return body


async def _judged(plan: Plan, request: ClientRequest, facts: FilterFacts) -> Decision:
    """Judge twice and keep the second: the first pays for what the engine builds on first use."""
    stages = bind(local(plan.input))
    threads = trio.CapacityLimiter(THREADS)
    for _ in range(2):
        budget = PolicyBudget(plan.timeouts.policy.seconds, threads)
        decision = await judge(stages, request.segments, budget, facts)
    return decision


def _check(compiled: Compiled, one: Judged) -> Check:
    profile = compiled.program.profile
    return Check(
        policy=one.step.name,
        verdict=one.verdict.outcome.value,
        rule=one.verdict.rule,
        spans=one.verdict.spans,
        microseconds=round(one.seconds * 1e6),
        estimated_microseconds=round(estimated_seconds(one.step, profile) * 1e6),
        estimate="default" if profile.of(one.step) is None else "profile",
    )


def _row(one: Check) -> tuple[str, ...]:
    return (
        one.policy,
        one.verdict,
        one.rule or "-",
        ", ".join(map(str, one.spans)) or "-",
        f"{one.microseconds} us",
        f"{one.estimated_microseconds} us",
        one.estimate,
    )


def _ending(analysis: Analysis) -> str:
    if analysis.policy is not None:
        return f"the request ends here: {analysis.outcome} by {analysis.policy}"
    if analysis.outcome == Outcome.REDACT.value:
        return f"the request goes on, edited in {analysis.edits} places"
    return "the request goes on as it came"
