"""Small plans, written by hand so that a test depends on no compiler."""

from kt.exchange import Surface
from kt.filters.parser import parse_filter
from kt.filters.syntax import Filter
from kt.filters.vocabulary import REQUEST
from kt.plan import (
    Access,
    Admission,
    Ask,
    Count,
    Limit,
    Plan,
    Pool,
    Record,
    Scan,
    Sizes,
    Stage,
    Step,
    Target,
    Timeouts,
)
from kt.policy import (
    ACTING,
    Action,
    Cost,
    Facts,
    OnTrouble,
    Phase,
    Rule,
    Sees,
    Streams,
)


def limit(seconds: float) -> Limit:
    """A limit that a test chose."""
    return Limit(seconds, origin="test")


def timeouts(**seconds: float) -> Timeouts:
    """The defaults of the design, some of them replaced."""
    defaults = {
        "queue": 30.0,
        "connect": 5.0,
        "first_byte": 30.0,
        "inter_chunk": 30.0,
        "request": 120.0,
        "policy": 2.0,
        "idle": 90.0,
        "send": 30.0,
        "drain": 30.0,
    }
    return Timeouts(**{name: limit(value) for name, value in {**defaults, **seconds}.items()})


def scan_step(
    name: str,
    *patterns: str,
    action: Action = Action.REDACT,
    phase: Phase = Phase.OUTPUT,
    order: int = 0,
    seconds: float = 2.0,
    on_trouble: OnTrouble = OnTrouble.BLOCK,
    when: str | None = None,
) -> Step:
    """A step that looks for patterns; rule ids are `name.0`, `name.1` and so on."""
    rules = tuple(
        Rule(id=f"{name}.{at}", pattern=pattern, label=f"[{name.upper()}]")
        for at, pattern in enumerate(patterns)
    )
    return Step(
        name=name,
        kind=name,
        phase=phase,
        order=order,
        body=Scan(rules=rules, action=action, message=f"blocked by {name}"),
        facts=Facts(
            surfaces=frozenset(Surface),
            can_block=action in (Action.BLOCK, Action.ESCALATE),
            edits=action is Action.REDACT,
        ),
        limit=limit(seconds),
        on_trouble=on_trouble,
        when=condition(when),
    )


def condition(text: str | None) -> Filter | None:
    """A condition on a request."""
    return None if text is None else parse_filter(text, REQUEST)


def record_step(order: int = 9, *, everything: bool = True, when: str | None = None) -> Step:
    """The audit logger."""
    return Step(
        name="audit-logger",
        kind="audit-logger",
        phase=Phase.AUDIT,
        order=order,
        body=Record(log_all_access=everything),
        facts=Facts(surfaces=frozenset(), has_effects=True),
        limit=limit(2.0),
        on_trouble=OnTrouble.ALLOW,
        when=condition(when),
    )


ASK = Ask(
    endpoint="http://moderation.test:8080/v1/judge",
    secret=None,
    action=Action.BLOCK,
    categories=("hate",),
    threshold=0.5,
    message="refused by the service",
)
"""A question to a service, unsigned."""


def ask_step(
    name: str,
    ask: Ask,
    *,
    phase: Phase = Phase.INPUT,
    order: int = 5,
    seconds: float = 1.0,
    on_trouble: OnTrouble = OnTrouble.BLOCK,
    when: str | None = None,
) -> Step:
    """A step that asks a service, with redacted text."""
    acts = ask.action in ACTING
    return Step(
        name=name,
        kind="external-moderation",
        phase=phase,
        order=order,
        body=ask,
        facts=Facts(
            surfaces=frozenset(Surface),
            can_block=acts,
            edits=acts,
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        ),
        limit=limit(seconds),
        on_trouble=on_trouble,
        when=condition(when),
    )


def target(
    name: str = "openai", url: str = "http://127.0.0.1:9", model: str | None = None
) -> Target:
    """A provider without a key."""
    return Target(
        id=name,
        base_url=url,
        model=model,
        secret=None,
        api_key_header="authorization",
        api_key_prefix="Bearer ",
        pool=Pool(max_connections=100, max_idle=32, idle=limit(90.0)),
    )


def plan(
    *steps: Step,
    targets: tuple[Target, ...] = (),
    hold: int = 65536,
    request_body: int = 10 * 2**20,
    response_body: int = 50 * 2**20,
    max_concurrent: int = 16,
    max_queue: int = 1000,
    per_user: int | None = None,
    per_team: int | None = None,
    keep_answer_whole: bool = False,
    access: Access | None = None,
    **seconds: float,
) -> Plan:
    """A plan of some steps, each in a stage of its own."""
    return Plan(
        name="test",
        version="1.0.0",
        enabled=True,
        engines=(),
        input=tuple(Stage(steps=(one,)) for one in steps if one.phase is Phase.INPUT),
        output=tuple(Stage(steps=(one,)) for one in steps if one.phase is Phase.OUTPUT),
        audit=tuple(one for one in steps if one.phase is Phase.AUDIT),
        targets=targets or (target(),),
        timeouts=timeouts(**seconds),
        admission=Admission(
            max_concurrent=Count(max_concurrent, origin="test"),
            max_queue=Count(max_queue, origin="test"),
            per_user=None if per_user is None else Count(per_user, origin="test"),
            per_team=None if per_team is None else Count(per_team, origin="test"),
        ),
        sizes=Sizes(
            request_body=Count(request_body, origin="test"),
            response_body=Count(response_body, origin="test"),
            stream_hold=Count(hold, origin="test"),
        ),
        access=access or Access(),
        keep_answer_whole=keep_answer_whole,
        server_timing=True,
    )
