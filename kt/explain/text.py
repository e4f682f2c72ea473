"""A plan as text for people.

In: Plan. Out: what the plan holds, and nothing that it does not. Never: the value of a secret, the
configuration that it was made from.
"""

from collections.abc import Iterator

import attrs

from kt.explain.applicability import only_when
from kt.explain.bounds import Bound, bounds, unreachable
from kt.explain.tables import section
from kt.plan import (
    Count,
    Limit,
    NotEnforced,
    Plan,
    Record,
    Scan,
    Sizes,
    Stage,
    Step,
    Target,
    Timeouts,
)
from kt.policy import Action, Phase, Rule
from kt.units import show_duration, show_size

_ACTS_ON_OUTPUT = frozenset({Action.BLOCK, Action.REDACT, Action.ESCALATE})


def explain_text(plan: Plan) -> str:
    """The plan as text, in running order; every line ends with where it came from."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    switch = "" if plan.enabled else ", switched off (pack.enabled: false)"
    yield f"PLAN {plan.name}@{plan.version}{switch}  (format may change; use --json)"
    yield f"digest {plan.digest}"
    yield "engines " + ", ".join(f"{name} {version}" for name, version in plan.engines)
    yield from _phase("input", plan.input, plan)
    yield from _phase("output", plan.output, plan)
    yield from _phase("audit", tuple(Stage(steps=(step,)) for step in plan.audit), plan)
    yield from section("upstream", (row for target in plan.targets for row in _target(target)))
    yield from section("limits", _limits(plan))
    yield from section("at worst", (_bound(one) for one in bounds(plan)))
    for warning in unreachable(plan):
        yield f"  {warning}"


def _bound(bound: Bound) -> tuple[str, ...]:
    seconds = "no bound" if bound.seconds is None else show_duration(bound.seconds)
    return bound.name, seconds, bound.because


def _phase(title: str, stages: tuple[Stage, ...], plan: Plan) -> Iterator[str]:
    rows = [
        _step(place, step, plan)
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


def _step(place: str, step: Step, plan: Plan) -> tuple[str, ...]:
    return (
        f"{place} {_verb(step)}",
        step.name,
        _work(step, plan),
        f"within {_limit(step.limit)}",
        f"on trouble {step.on_trouble.value}",
        step.origin,
        "; ".join(filter(None, (only_when(step), *step.because))),
    )


def _verb(step: Step) -> str:
    match step.body:
        case Scan(action=action):
            return action.value
        case Record():
            return "record"
        case NotEnforced():
            return "skip"


def _work(step: Step, plan: Plan) -> str:
    if isinstance(step.body, NotEnforced):
        return f"not enforced: {step.body.reason}"
    if isinstance(step.body, Record):
        return "every request" if step.body.log_all_access else "all but allowed requests"
    rules = step.body.rules
    decoded = "".join(f", looks into {encoding}" for encoding in step.body.decode)
    held = f", {_hold(rules, plan)}" if _holds(step, step.body) else ""
    return f"{len(rules)} {'rule' if len(rules) == 1 else 'rules'}{decoded}{held}"


def _holds(step: Step, scan: Scan) -> bool:
    return step.phase is Phase.OUTPUT and scan.action in _ACTS_ON_OUTPUT


def _hold(rules: tuple[Rule, ...], plan: Plan) -> str:
    """How much text of a stream may wait for these rules: the longest match, or the cap."""
    if plan.keep_answer_whole:
        return "holds the whole answer"
    # NOT at the top: it loads the grammar, which only a plan with output steps needs.
    from kt.patterns.prefixes import longest_hold

    cap = plan.sizes.stream_hold.value
    holds = [longest_hold(rule) for rule in rules]
    longest = max((cap if hold is None else hold for hold in holds), default=0)
    return f"holds at most {show_size(min(longest, cap))}"


def _target(target: Target) -> Iterator[tuple[str, ...]]:
    secret = target.secret
    key = "no key" if secret is None else f"key from {secret.source.value} {secret.name}"
    pool = target.pool
    yield (
        target.id,
        target.base_url,
        "the request's model" if target.model is None else f"model {target.model}",
        key if secret is None else f"{key} in {target.api_key_header}",
        f"{pool.max_connections} connections, {pool.max_idle} idle for {_limit(pool.idle)}",
        target.origin,
    )


def _limits(plan: Plan) -> Iterator[tuple[str, ...]]:
    for field in attrs.fields(Timeouts):
        limit: Limit = getattr(plan.timeouts, field.name)
        yield field.name, show_duration(limit.seconds), limit.origin
    for name in ("max_concurrent", "max_queue"):
        count: Count = getattr(plan.admission, name)
        yield name, str(count.value), count.origin
    for field in attrs.fields(Sizes):
        size: Count = getattr(plan.sizes, field.name)
        yield field.name, show_size(size.value), size.origin
    yield "listen_port", str(plan.listen_port), ""
    yield "answers", _answers(plan), ""
    yield "server-timing", "sent" if plan.server_timing else "not sent", ""


def _answers(plan: Plan) -> str:
    if plan.keep_answer_whole:
        return "collected and sent whole"
    return "streamed as they come"


def _limit(limit: Limit) -> str:
    return f"{show_duration(limit.seconds)} ({limit.origin})"
