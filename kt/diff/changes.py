"""What differs between two plans, part by part.

In: two plans. Out: one line per difference, in the order of EXPLAIN. Never: a difference of
positions or reasons, which do not act.
"""

import zlib
from collections.abc import Iterator, Mapping

import attrs

from kt.filters.printing import show
from kt.plan import (
    Ask,
    ConsumerGroup,
    Count,
    Limit,
    NotEnforced,
    Plan,
    Record,
    Scan,
    Step,
    Target,
    canonical_json,
)
from kt.policy import Phase
from kt.units import show_duration, show_size

ABSENT = "-"
SIZES = frozenset({"request_body", "request_head", "response_body", "stream_hold"})


@attrs.frozen
class Changed:
    """One difference: where, what, and how it was and is; `-` stands for what is not there."""

    part: str
    """`input`, `output`, `audit`, `order`, `targets`, `timeouts`, `limits`, `access` or `plan`."""
    name: str
    old: str
    new: str


def changes(old: Plan, new: Plan) -> tuple[Changed, ...]:
    """Every difference that acts."""
    return tuple(_changes(old, new))


def _changes(old: Plan, new: Plan) -> Iterator[Changed]:
    for phase in (Phase.INPUT, Phase.OUTPUT, Phase.AUDIT):
        yield from _compare(phase.value, _steps(old, phase), _steps(new, phase))
        yield from _order(phase, old, new)
    yield from _compare("targets", _targets(old), _targets(new))
    yield from _compare("timeouts", _timeouts(old), _timeouts(new))
    yield from _compare("limits", _limits(old), _limits(new))
    yield from _compare("access", _access(old), _access(new))
    yield from _compare("plan", _plan(old), _plan(new))


def _compare(part: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Changed]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before != after:
            yield Changed(part, name, before, after)


def _order(phase: Phase, old: Plan, new: Plan) -> Iterator[Changed]:
    before, after = list(_steps(old, phase)), list(_steps(new, phase))
    common = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if common != moved:
        yield Changed("order", phase.value, ", ".join(common), ", ".join(moved))


def _steps(plan: Plan, phase: Phase) -> dict[str, str]:
    return {step.name: shown(step) for step in plan.steps(phase)}


def shown(step: Step) -> str:
    """What a step does and for which requests, in words."""
    trouble = f"on trouble {step.on_trouble.value}"
    when = "" if step.when is None else f", when {show(step.when)}"
    return f"{_body(step)}, within {show_duration(step.limit.seconds)}, {trouble}{when}"


def _body(step: Step) -> str:
    match step.body:
        case Scan(rules=rules, action=action, decode=decode):
            looks = "".join(f", looks into {name}" for name in decode)
            return f"{action.value} by {len(rules)} rules ({_fingerprint(rules)}){looks}"
        case Record(log_all_access=everything):
            return "records every request" if everything else "records what is not allowed"
        case Ask(endpoint=endpoint, action=action) as ask:
            scores = ", ".join(ask.categories) or "every category"
            signed = "unsigned" if ask.secret is None else f"signed with {ask.secret.name}"
            return f"{action.value} by {endpoint}, {signed}, {scores} from {ask.threshold:g}"
        case NotEnforced():
            return "not enforced"


def _fingerprint(rules: tuple[object, ...]) -> str:
    """Tells rule lists apart without printing them; the same in every process."""
    return f"{zlib.crc32(repr(rules).encode()):08x}"


def _targets(plan: Plan) -> dict[str, str]:
    return {target.id: _target(target) for target in plan.targets}


def _target(target: Target) -> str:
    model = "the request's model" if target.model is None else target.model
    key = "no key" if target.secret is None else f"key {target.secret.name}"
    spoken = "any format" if target.format is None else f"{target.format.value} formats"
    return f"{target.base_url}, {model}, {spoken}, {key}"


def _timeouts(plan: Plan) -> dict[str, str]:
    fields = attrs.asdict(plan.timeouts, recurse=False)
    return {
        name: show_duration(limit.seconds)
        for name, limit in fields.items()
        if isinstance(limit, Limit)
    }


def _limits(plan: Plan) -> dict[str, str]:
    counts = {
        **attrs.asdict(plan.admission, recurse=False),
        **attrs.asdict(plan.sizes, recurse=False),
    }
    return {
        name: show_size(count.value) if name in SIZES else str(count.value)
        for name, count in counts.items()
        if isinstance(count, Count)
    }


def _access(plan: Plan) -> dict[str, str]:
    access = plan.access
    limits: dict[str, list[str]] = {}
    for limit in access.rate_limits:
        limits.setdefault(f"{limit.scope.value} {limit.unit.value}", []).append(limit.shown)
    groups = {f"group {one.name}": _group(one) for one in access.groups}
    networks = () if access.networks is None else access.networks.cidrs
    proxies = sorted({one.proxies for one in (*access.rate_limits, access.networks) if one})
    return {
        **groups,
        **{name: "; ".join(shown) for name, shown in limits.items()},
        "addresses": "everyone" if access.networks is None else ", ".join(networks) or ABSENT,
        "proxies": ", ".join(map(str, proxies)) or ABSENT,
        "user headers": ", ".join(name for one in access.rate_limits for name in one.headers),
        "x-ratelimit": "sent" if access.tells_rates else "not sent",
        "cors": ABSENT if access.cors is None else _fingerprint((access.cors,)),
    }


def _group(group: ConsumerGroup) -> str:
    models = ", ".join(group.allowed_models) or "every model"
    default = ", the default" if group.is_default else ""
    return f"keys {_fingerprint((group.keys, group.secrets))}, {models}{default}"


def _routing(plan: Plan) -> str:
    rules = (plan.routing, *((one.weight, one.breaker) for one in plan.targets))
    return f"{zlib.crc32(canonical_json(rules, descriptive_too=False)):08x}"


def _plan(plan: Plan) -> dict[str, str]:
    return {
        "enabled": str(plan.enabled).lower(),
        "routing": _routing(plan),
        "listen_port": str(plan.listen_port),
        "edge": plan.edge.value,
        "answers": "sent whole" if plan.keep_answer_whole else "streamed",
        **_streaming(plan),
        "passthrough": ", ".join(plan.passthrough) or ABSENT,
        "server_timing": str(plan.server_timing).lower(),
        "engines": ", ".join(f"{name} {version}" for name, version in plan.engines),
    }


def _streaming(plan: Plan) -> dict[str, str]:
    gathered, flush, duration = attrs.astuple(plan.streaming, recurse=False)
    return {
        "chunk_buffer": ABSENT if gathered is None else show_size(gathered.value),
        "flush_interval": ABSENT if flush is None else show_duration(flush.seconds),
        "max_duration": ABSENT if duration is None else show_duration(duration.seconds),
    }
