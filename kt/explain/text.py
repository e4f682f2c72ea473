"""A plan as text for people.

In: Plan. Out: what the plan holds, and nothing that it does not. Never: the value of a secret, the
configuration that it was made from.
"""

from collections.abc import Iterator, Mapping

import attrs

from kt.explain.access import access_rows
from kt.explain.applicability import only_when
from kt.explain.bounds import Bound
from kt.explain.document import Explanation, explanation
from kt.explain.patterns import SHOWN_HASH
from kt.explain.routing import routing_rows
from kt.explain.tables import section
from kt.plan import (
    Access,
    Admission,
    Ask,
    Connecting,
    Count,
    Edge,
    HttpVersion,
    Limit,
    NotEnforced,
    Plan,
    Pool,
    Record,
    Scan,
    Sizes,
    Stage,
    Step,
    Streaming,
    Target,
    Timeouts,
    Tls,
    Transport,
)
from kt.policy import Phase
from kt.units import show_duration, show_size

Holds = Mapping[str, str]
"""Policy -> what it may hold back of an answer, in words."""


def explain_text(plan: Plan) -> str:
    """The plan as text, in running order; every line ends with where it came from."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    switch = "" if plan.enabled else ", switched off (pack.enabled: false)"
    yield f"PLAN {plan.name}@{plan.version}{switch}  (format may change; use --json)"
    yield f"digest {plan.digest}"
    yield "engines " + ", ".join(f"{name} {version}" for name, version in plan.engines)
    yield "rules " + ", ".join(f"{name} {one[:SHOWN_HASH]}" for name, one in plan.rule_lists)
    more = explanation(plan)
    yield from _phase("input", plan.input, {})
    yield from _phase("output", plan.output, _by_policy(more, plan))
    yield from _phase("audit", tuple(Stage(steps=(step,)) for step in plan.audit), {})
    yield from section("held of a streamed answer", _held(more))
    yield from section("upstream", (row for target in plan.targets for row in _target(target)))
    if routing := list(routing_rows(plan)):
        yield from section("routing", routing)
    yield from section("limits", _limits(plan))
    if plan.access != Access():
        yield from section("access", access_rows(plan.access))
    if plan.variables:
        yield from section("variables", ((one,) for one in plan.variables))
    yield from section("at worst", (_bound(one) for one in more.bounds))
    for warning in more.never:
        yield f"  {warning}"


def _by_policy(more: Explanation, plan: Plan) -> Holds:
    whole = "the whole answer" if plan.keep_answer_whole else None
    return {one.what: whole or one.shown for one in more.holds if one.is_policy}


def _held(more: Explanation) -> Iterator[tuple[str, ...]]:
    for one in more.holds:
        if not one.is_policy:
            yield one.what, one.shown, one.because
    yield "first text", "waits for", more.first_text


def _bound(bound: Bound) -> tuple[str, ...]:
    seconds = "no bound" if bound.seconds is None else show_duration(bound.seconds)
    return bound.name, seconds, bound.because


def _phase(title: str, stages: tuple[Stage, ...], holds: Holds) -> Iterator[str]:
    rows = [
        _step(place, step, holds.get(step.name))
        for at, stage in enumerate(stages, start=1)
        for place, step in zip(_places(at, stage), stage.steps, strict=True)
    ]
    yield from section(title, rows)


def _places(at: int, stage: Stage) -> Iterator[str]:
    """The stage's number; where several steps start together, a second one for each."""
    if len(stage.steps) == 1:
        yield str(at)
        return
    for member in range(1, len(stage.steps) + 1):
        yield f"{at}.{member}"


def _step(place: str, step: Step, hold: str | None) -> tuple[str, ...]:
    return (
        f"{place} {_verb(step)}",
        step.name,
        _work(step, hold),
        f"within {_limit(step.limit)}",
        f"on trouble {step.on_trouble.value}",
        step.origin,
        "; ".join(filter(None, (only_when(step), *step.because))),
    )


def _verb(step: Step) -> str:
    match step.body:
        case Scan(action=action) | Ask(action=action):
            return action.value
        case Record():
            return "record"
        case NotEnforced():
            return "skip"


def _work(step: Step, hold: str | None) -> str:
    if isinstance(step.body, NotEnforced):
        return f"not enforced: {step.body.reason}"
    if isinstance(step.body, Record):
        return "every request" if step.body.log_all_access else "all but allowed requests"
    if isinstance(step.body, Ask):
        return _asked(step.body, step)
    rules = step.body.rules
    decoded = "".join(f", looks into {encoding}" for encoding in step.body.decode)
    held = "" if hold is None else f", holds {hold}"
    return f"{len(rules)} {'rule' if len(rules) == 1 else 'rules'}{decoded}{held}"


def _asked(ask: Ask, step: Step) -> str:
    secret = "unsigned" if ask.secret is None else f"signed with {ask.secret.name}"
    counted = ", ".join(ask.categories) or "every category"
    scores = f"{counted} from {ask.threshold:g}"
    whole = "" if step.phase is Phase.INPUT else ", whole answers only"
    return f"asks {ask.endpoint}, {secret}, {scores}, sends {step.facts.sees.value} text{whole}"


def _target(target: Target) -> Iterator[tuple[str, ...]]:
    secret = target.secret
    key = "no key" if secret is None else f"key from {secret.source.value} {secret.name}"
    yield (
        target.id,
        target.base_url,
        "the request's model" if target.model is None else f"model {target.model}",
        "any format" if target.format is None else f"{target.format.value} formats",
        key if secret is None else f"{key} in {target.api_key_header}",
        _pool(target.pool) + "".join(f", {word}" for word in _tls(target.tls)),
        target.origin,
    )


def _pool(pool: Pool) -> str:
    kept = f"{pool.max_connections} connections, {pool.max_idle} idle for {_limit(pool.idle)}"
    return kept if pool.lifetime is None else f"{kept}, none for more than {_limit(pool.lifetime)}"


def _tls(tls: Tls) -> Iterator[str]:
    if tls.ca_file is not None:
        yield f"trusts {tls.ca_file}"
    if tls.client_cert is not None:
        yield f"shows {tls.client_cert}"


def _connecting(connecting: Connecting) -> Iterator[tuple[str, ...]]:
    """What is not as it always is."""
    if connecting.transport is not Transport.KT:
        yield "transport", connecting.transport.value, ""
    if connecting.http_version is HttpVersion.HTTP2:
        yield "http_version", "HTTP/2 where the target speaks it", ""
    probes = connecting.keep_alive
    if probes is None:
        yield "keep_alive", "no probes", ""
    elif {probes.interval.origin, probes.timeout.origin} != {"default"}:
        often, dead = _limit(probes.interval), _limit(probes.timeout)
        yield "keep_alive", f"probed every {often}, dead after {dead}", ""
    if connecting.max_total is not None:
        yield "max_total", f"{connecting.max_total.value} connections", connecting.max_total.origin
    if connecting.warm_up is not None:
        count, probe = connecting.warm_up.connections, connecting.warm_up.probe
        tried = "" if probe is None else f", tried with {probe}"
        yield "warm-up", f"{count.value} connections to each target{tried}", count.origin


def _limits(plan: Plan) -> Iterator[tuple[str, ...]]:
    for field in attrs.fields(Timeouts):
        limit: Limit = getattr(plan.timeouts, field.name)
        yield field.name, show_duration(limit.seconds), limit.origin
    for field in attrs.fields(Admission):
        count: Count | None = getattr(plan.admission, field.name)
        if count is not None:
            yield field.name, str(count.value), count.origin
    for field in attrs.fields(Sizes):
        size: Count = getattr(plan.sizes, field.name)
        yield field.name, show_size(size.value), size.origin
    yield from _connecting(plan.connecting)
    yield "listen_port", str(plan.listen_port), ""
    if plan.edge is not Edge.LLHTTP:
        yield "edge", plan.edge.value, ""
    yield from _streaming(plan.streaming)
    yield "answers", _answers(plan), ""
    yield "server-timing", "sent" if plan.server_timing else "not sent", ""


def _streaming(streaming: Streaming) -> Iterator[tuple[str, ...]]:
    """What is set."""
    if streaming.gathered is not None:
        yield "chunk_buffer", show_size(streaming.gathered.value), streaming.gathered.origin
    for name, limit in (("flush_interval", streaming.flush), ("max_duration", streaming.duration)):
        if limit is not None:
            yield name, show_duration(limit.seconds), limit.origin


def _answers(plan: Plan) -> str:
    if plan.keep_answer_whole:
        return "collected and sent whole"
    gathered, flush = plan.streaming.gathered, plan.streaming.flush
    most = [] if gathered is None else [show_size(gathered.value)]
    longest = [] if flush is None else [show_duration(flush.seconds)]
    if not most and not longest:
        return "streamed as they come"
    return f"streamed, what is safe gathered up to {' or '.join(most + longest)}"


def _limit(limit: Limit) -> str:
    return f"{show_duration(limit.seconds)} ({limit.origin})"
