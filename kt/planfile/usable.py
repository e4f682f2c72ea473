"""Whether a plan can be run: what types alone cannot say, and the compiler never writes.

In: a plan of a file. Out: the first thing that is wrong with it, or None. A plan that passes can
be bound, and no request meets a bug because of it.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import attrs

from kt.compiler.fields import GIGABYTE, MONTH
from kt.compiler.urls import clean_url
from kt.diagnostics import clean
from kt.filters.parser import parse_filter
from kt.filters.printing import show
from kt.filters.refusals import FilterError
from kt.filters.syntax import Filter, atoms
from kt.filters.vocabulary import REQUEST
from kt.patterns.matcher import check_rule
from kt.patterns.syntax import PatternError
from kt.plan import (
    Ask,
    Count,
    Limit,
    NotEnforced,
    Plan,
    Record,
    Scan,
    Sizes,
    Stage,
    Step,
    Streaming,
    Target,
    Timeouts,
    is_endpoint,
)
from kt.planfile.access import SECRET_NAME, access_problems
from kt.policy import Cost, Facts, Phase, Streams

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_DECODED = frozenset({"base64"})
_MAX_PORT = 2**16 - 1

_PLACES: Mapping[str, tuple[frozenset[Phase], tuple[type, ...]]] = MappingProxyType(
    {
        "input": (frozenset({Phase.INPUT}), (Scan, Ask, NotEnforced)),
        "output": (frozenset({Phase.OUTPUT, Phase.TOOL}), (Scan, Ask, NotEnforced)),
        "audit": (frozenset({Phase.AUDIT}), (Record, NotEnforced)),
    }
)
"""Part of a plan -> the phases and bodies of its steps."""


def unusable(plan: Plan) -> str | None:
    """The first reason why the plan cannot be run; None where it can."""
    return next(_problems(plan), None)


def _problems(plan: Plan) -> Iterator[str]:
    yield from _stages("input", plan.input)
    yield from _stages("output", plan.output)
    yield from _stages("audit", tuple(Stage(steps=(step,)) for step in plan.audit))
    yield from _targets(plan.targets)
    for name in attrs.fields_dict(Timeouts):
        yield from _limit(f"timeouts.{name}", getattr(plan.timeouts, name))
    yield from _count("admission.max_concurrent", plan.admission.max_concurrent)
    yield from _count("admission.max_queue", plan.admission.max_queue, least=0)
    for name in ("per_user", "per_team"):
        if (most := getattr(plan.admission, name)) is not None:
            yield from _count(f"admission.{name}", most)
    for name in attrs.fields_dict(Sizes):
        yield from _count(f"sizes.{name}", getattr(plan.sizes, name))
    yield from access_problems(plan.access)
    yield from _streaming(plan.streaming)
    if not 0 <= plan.listen_port <= _MAX_PORT:
        yield "listen_port is no port"


def _streaming(streaming: Streaming) -> Iterator[str]:
    if streaming.gathered is not None:
        yield from _count("streaming.gathered", streaming.gathered)
    for name in ("flush", "duration"):
        if (limit := getattr(streaming, name)) is not None:
            yield from _limit(f"streaming.{name}", limit)


def _stages(part: str, stages: tuple[Stage, ...]) -> Iterator[str]:
    steps = [step for stage in stages for step in stage.steps]
    if not all(stage.steps for stage in stages):
        yield f"{part}: a stage without steps"
    if len({step.order for step in steps}) < len(steps):
        yield f"{part}: two steps of one declared place"
    for step in steps:
        for problem in _step(part, step):
            yield f"{part} '{clean(step.name)}': {problem}"


def _step(part: str, step: Step) -> Iterator[str]:
    phases, bodies = _PLACES[part]
    if step.phase not in phases or not isinstance(step.body, bodies):
        yield "it does not belong there"
    yield from _limit("limit", step.limit)
    if step.when is not None:
        yield from _filter(step.when)
    if isinstance(step.body, Scan):
        yield from _scan(step.body)
    if isinstance(step.body, Ask):
        yield from _ask(step.body, step.facts)


def _ask(ask: Ask, facts: Facts) -> Iterator[str]:
    if not is_endpoint(ask.endpoint):
        yield "endpoint: not a usable URL"
    if ask.secret is not None and not SECRET_NAME.fullmatch(ask.secret.name):
        yield "secret: not the name of a secret"
    if facts.cost is not Cost.NETWORK or facts.streams is not Streams.WHOLE:
        yield "facts: it waits for the network, and judges what is whole"


def _scan(scan: Scan) -> Iterator[str]:
    if not _DECODED.issuperset(scan.decode):
        yield "decode: an unknown encoding"
    for rule in scan.rules:
        try:
            check_rule(rule)
        except PatternError as error:
            yield f"rule '{clean(rule.id)}': {error.message}"


def _filter(tree: Filter) -> Iterator[str]:
    for atom in atoms(tree):
        try:
            is_same = parse_filter(show(atom), REQUEST) == atom
        except FilterError as error:
            yield f"when: {error.message}"
        else:
            if not is_same:
                yield "when: not a condition as kt writes it"


def _targets(targets: tuple[Target, ...]) -> Iterator[str]:
    if len({target.id for target in targets}) < len(targets):
        yield "targets: an id is given twice"
    for target in targets:
        for problem in _target(target):
            yield f"target '{clean(target.id)}': {problem}"


def _target(target: Target) -> Iterator[str]:
    try:
        # Empty: no address is known, and the target is never asked.
        is_clean = not target.base_url or clean_url(target.base_url) == target.base_url
    except ValueError:
        is_clean = False
    if target.base_url and not is_clean:
        yield "base_url: not a usable base URL"
    if target.secret is not None and not SECRET_NAME.fullmatch(target.secret.name):
        yield "secret: not the name of a secret"
    if not _HEADER.fullmatch(target.api_key_header):
        yield "api_key_header: not usable in an HTTP header"
    if not _PRINTABLE.fullmatch(target.api_key_prefix):
        yield "api_key_prefix: not usable in an HTTP header"
    if target.pool.max_connections < 1 or target.pool.max_idle < 0:
        yield "pool: too few connections"
    yield from _limit("pool.idle", target.pool.idle)


def _is_clean(url: str) -> bool:
    try:
        return clean_url(url) == url
    except ValueError:
        return False


def _limit(name: str, limit: Limit) -> Iterator[str]:
    if not 0 < limit.seconds <= MONTH:
        yield f"{name}: not a time from now to thirty days"


def _count(name: str, count: Count, least: int = 1) -> Iterator[str]:
    if not least <= count.value <= GIGABYTE:
        yield f"{name}: must be from {least} to {GIGABYTE}"
