"""The configurations that are simulated, compiled once, and what each promises of texts."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import attrs

from kt.compiler import Settings, compile_source
from kt.plan import Count, Edge, Limit, Plan, Routing
from kt.routing.values import Fallback, Retry, Trigger
from kt.simulation.schedule import Kind, Text
from kt.source import Source

_HEAD = """
pack: {name: simulated, version: 1.0.0, enabled: true}
providers:
  targets:
    - {id: first, base_url: "http://first.test", pool: {max_connections: 3, max_idle_per_host: 2}}
"""

_TWO_TARGETS = """
pack: {name: simulated, version: 1.0.0, enabled: true}
providers:
  targets:
    - {id: first, base_url: "http://first.test"}
    - {id: second, base_url: "http://second.test"}
"""

_POLICIES = """
policy:
  audit-logger: {log_all_access: true}
  pii-detector: {action: redact, entities: [email]}
  dlp-filter:
    ACTION
    patterns: [{name: key, regex: "key-[a-z]{4,24}"}]
"""

_REDACT = _POLICIES.replace("ACTION", "action: redact")
_STOP = _POLICIES.replace("key-[a-z]{4,24}", "sesame[0-9]{3}")
KEY, MAIL = "[KEY]", "[EMAIL]"


@attrs.frozen(kw_only=True)
class Setup:
    """A configuration, and what its policies do with each kind of text."""

    config: str
    labels: Mapping[Kind, str]
    stops: str | None = None
    """The code of the refusal of a request that holds a stop; None where nothing is refused."""
    routing: Routing | None = None
    """In place of that of the configuration."""
    serves_all: bool = True
    """No request is refused for want of room."""

    def safe(self, text: Text) -> str:
        """What may be seen of a text."""
        return text.safe(self.labels, stops=self.stops is not None)


def _chain(*kinds: str, group: str = "") -> str:
    more = f"{{parallel_group: {group}}}" if group else "{}"
    entries = ", ".join(f"{{{kind}: {more}}}" for kind in kinds)
    return f"policies: {{chain: [{entries}, audit-logger]}}\n"


def _count(value: int) -> Count:
    return Count(value, origin="simulation")


def _limit(seconds: float) -> Limit:
    return Limit(seconds, origin="simulation")


SETUPS: Mapping[str, Setup] = MappingProxyType(
    {
        "redact": Setup(
            config=_HEAD + _chain("dlp-filter") + _REDACT,
            labels=MappingProxyType({Kind.KEY: KEY}),
        ),
        "redact and block": Setup(
            config=_HEAD
            + _chain("pii-detector", "dlp-filter")
            + _STOP.replace("ACTION", "action: block"),
            labels=MappingProxyType({Kind.MAIL: MAIL}),
            stops="input_blocked",
        ),
        "escalate": Setup(
            config=_TWO_TARGETS
            + _chain("dlp-filter")
            + _STOP.replace("ACTION", "action: escalate"),
            labels=MappingProxyType({}),
            stops="escalation_required",
        ),
        "parallel": Setup(
            config=_TWO_TARGETS + _chain("pii-detector", "dlp-filter", group="all") + _REDACT,
            labels=MappingProxyType({Kind.KEY: KEY, Kind.MAIL: MAIL}),
        ),
        "retry": Setup(
            config=_TWO_TARGETS + _chain("dlp-filter") + _REDACT,
            labels=MappingProxyType({Kind.KEY: KEY}),
            routing=Routing(
                retry=Retry(
                    attempts=_count(2),
                    initial_delay=_limit(0.5),
                    max_delay=_limit(4.0),
                    multiplier=2.0,
                    jitter=True,
                    triggers=frozenset(Trigger),
                ),
                fallback=Fallback(attempts=_count(1), triggers=frozenset(Trigger)),
            ),
        ),
        "small": Setup(
            config=_HEAD
            + _chain("dlp-filter")
            + _REDACT
            + """
gateway:
  concurrency:
    {max_concurrent_requests: 2, max_queue_size: 2, queue_timeout: 3s, per_user_limit: 1}
  timeouts: {request_timeout: 25s, first_byte_timeout: 10s, policy_eval: 1s}
  buffers: {request_body_limit: 4KB, response_body_limit: 8KB}
  streaming: {buffer_size: 64B, inter_chunk_timeout: 5s}
""",
            labels=MappingProxyType({Kind.KEY: KEY}),
            serves_all=False,
        ),
    }
)
"""Name -> setup."""


@attrs.frozen(kw_only=True)
class _Hashed(Plan):
    """A plan whose digest is known: it takes longer than the rest of starting a gateway."""

    known: str = ""

    @property
    def digest(self) -> str:
        """As it was computed once."""
        return self.known


@cache
def plan_of(name: str, edge: Edge) -> Plan:
    """The plan of a setup on an edge."""
    plan = compile_source(Source(f"{name}.yaml", SETUPS[name].config), Settings()).plan
    routing = SETUPS[name].routing or plan.routing
    plan = attrs.evolve(plan, edge=edge, routing=routing)
    fields = {one.name: getattr(plan, one.name) for one in attrs.fields(Plan)}
    return _Hashed(**fields, known=plan.digest)
