"""Who may ask, seen from outside: the rows of the config-use audit for the entrance.

A probe asks several times, each time as somebody else, and shows statuses and what browsers are
told; when a window ends depends on the time of day and is not shown.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio

from kt.cli.surroundings import read_client_keys
from kt.compiler import compile_source
from kt.runtime.connecting import Network
from kt.runtime.gateway import GatewayOptions, built
from kt.source import Source
from tests.support.asgi import Response, ask
from tests.support.gateways import chat_body, run_in_virtual_time
from tests.support.upstreams import FakeProvider, completion, json_answer

ONE, TWO = "kt_cg_the_first", "kt_cg_the_other"
USAGE = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
PATH = "/v1/chat/completions"
SHOWN = ("access-control-", "x-ratelimit-limit", "vary")

Asker = Mapping[str, str]
"""The headers of one request."""


def _answer(_: object) -> Any:
    return json_answer({**completion("x" * 500), "usage": USAGE})


@attrs.frozen
class Asked:
    """One request for each of these clients, with a pause between them."""

    askers: tuple[Asker, ...] = ({}, {})
    gap: float = 0.0
    method: str = "POST"
    text: str = "hello"

    def __call__(self, text: str, folder: Path) -> str:
        """What they are answered."""
        seen: list[str] = []
        run_in_virtual_time(partial(self._ask, text, folder, seen))
        return "\n".join(seen)

    async def _ask(self, text: str, folder: Path, seen: list[str]) -> None:
        plan = compile_source(Source("kt.yaml", text)).plan
        options = GatewayOptions(
            host="127.0.0.1",
            port=0,
            log=seen.append,
            audit_path=folder / "audit.jsonl",
            gateway_id="test",
            client_keys=read_client_keys(plan.access.groups),
            network=Network(transport=FakeProvider(_answer)),
        )
        async with built(plan, options) as app:
            for asker in self.askers:
                body = chat_body(self.text)
                seen.append(_shown(await ask(app, self.method, PATH, asker.items(), body)))
                await trio.sleep(self.gap)


def _shown(answer: Response) -> str:
    told = {name: text for name, text in answer.headers.items() if name.startswith(SHOWN)}
    error = orjson.loads(answer.body).get("error", {}) if answer.body else {}
    return f"{answer.status} {error.get('code')} {error.get('message')} {sorted(told.items())}"


@attrs.frozen
class Use:
    """Two values of a leaf, what shows the difference, and what stands around it."""

    one: Any
    other: Any
    probe: Any
    around: Mapping[str, Any] = attrs.field(factory=dict)


def by_key(*keys: str) -> Asked:
    """Clients that show these keys."""
    return Asked(tuple({"authorization": f"Bearer {key}"} for key in keys))


def via(*addresses: str) -> Asked:
    """Clients that a proxy saw at these addresses."""
    return Asked(tuple({"x-forwarded-for": one} for one in addresses))


def group(**keys: Any) -> dict[str, Any]:
    """More of the group that a leaf is in."""
    return {"consumer_groups": [keys]}


def around(section: str, **keys: Any) -> dict[str, Any]:
    """More of a section."""
    return {section: keys}


TWICE = Asked()
LATER = Asked(gap=5.0)
KNOWN = by_key(ONE, ONE)
RED = group(api_key=ONE)
BOTH = by_key("the-first-key", "the-other-key")
WINDOW = {"window_seconds": 60}
ONCE = {"max_requests": 1, **WINDOW}
BROWSER = Asked(({"origin": "https://a.example"},))
ORIGIN = "https://a.example"
PREFLIGHT = Asked(
    (
        {
            "origin": ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-a",
        },
    ),
    method="OPTIONS",
)
PERIODS = ("minute", "hour", "day")

ACCESS: Mapping[str, Use] = {
    "consumer_groups[].name": Use(
        "red", "blue", KNOWN, group(api_key=ONE, rate_limits={"requests_per_day": 1})
    ),
    "consumer_groups[].api_key": Use(ONE, TWO, KNOWN),
    "consumer_groups[].api_keys": Use([ONE], [TWO], KNOWN),
    "consumer_groups[].api_key_env": Use("KT_TEST_ONE", "KT_TEST_TWO", BOTH),
    "consumer_groups[].api_key_ref.env": Use("KT_TEST_ONE", "KT_TEST_TWO", BOTH),
    "consumer_groups[].api_key_ref.store": Use("KT_TEST_ONE", "KT_TEST_TWO", BOTH),
    "consumer_groups[].default": Use(True, False, TWICE, RED),
    "consumer_groups[].allowed_models": Use(["m"], ["other"], KNOWN, RED),
    **{
        f"consumer_groups[].rate_limits.{unit}_per_{period}": Use(1, 50, KNOWN, RED)
        for unit in ("requests", "tokens")
        for period in PERIODS
    },
    **{
        f"rate_limit_defaults.{unit}_per_{period}": Use(1, 50, TWICE)
        for unit in ("requests", "tokens")
        for period in PERIODS
    },
    "rate_limit_defaults.response_headers": Use(
        True, False, TWICE, around("rate_limit_defaults", requests_per_day=5)
    ),
    "global_rate_limit.max_requests": Use(1, 2, TWICE, around("global_rate_limit", **WINDOW)),
    "global_rate_limit.window_seconds": Use(
        1, 1_000_000, LATER, around("global_rate_limit", max_requests=1)
    ),
    "ip_rate_limit.max_requests": Use(1, 2, TWICE, around("ip_rate_limit", **WINDOW)),
    "ip_rate_limit.window_seconds": Use(
        1, 1_000_000, LATER, around("ip_rate_limit", max_requests=1)
    ),
    "ip_rate_limit.trust_proxy_depth": Use(
        0, 1, via("10.0.0.1", "10.0.0.2"), around("ip_rate_limit", **ONCE)
    ),
    "user_rate_limit.max_requests": Use(
        1, 2, Asked(({"x-user-id": "ann"},) * 2), around("user_rate_limit", **WINDOW)
    ),
    "user_rate_limit.window_seconds": Use(
        1,
        1_000_000,
        Asked(({"x-user-id": "ann"},) * 2, gap=5.0),
        around("user_rate_limit", max_requests=1),
    ),
    "user_rate_limit.header_names": Use(
        ["x-user-id"],
        ["x-other"],
        Asked(({"x-user-id": "a"},) * 2),
        around("user_rate_limit", **ONCE),
    ),
    "token_rate_limit.max_tokens": Use(1, 50, TWICE, around("token_rate_limit", **WINDOW)),
    "token_rate_limit.window_seconds": Use(
        1, 1_000_000, LATER, around("token_rate_limit", max_tokens=1)
    ),
    "token_rate_limit.scope": Use(
        "global",
        "user",
        Asked(({"x-user-id": "ann"}, {"x-user-id": "bob"})),
        around("token_rate_limit", max_tokens=1, **WINDOW),
    ),
    "size_limits.max_body_bytes": Use(20, 2000, TWICE),
    "size_limits.max_response_bytes": Use(20, 2000, TWICE),
    "ip_allowlist.enabled": Use(True, False, TWICE, around("ip_allowlist", cidrs=["10.0.0.0/8"])),
    "ip_allowlist.cidrs": Use(["127.0.0.0/8"], ["10.0.0.0/8"], TWICE),
    "ip_allowlist.trust_proxy_depth": Use(
        0, 1, via("10.0.0.1"), around("ip_allowlist", cidrs=["10.0.0.0/8"])
    ),
    "cors.enabled": Use(True, False, BROWSER, around("cors", allow_origins=["*"])),
    "cors.allow_origins": Use([ORIGIN], ["https://b.example"], BROWSER),
    "cors.allow_methods": Use(["GET"], ["POST"], PREFLIGHT, around("cors", allow_origins=["*"])),
    "cors.allow_headers": Use(["x-a"], ["x-b"], PREFLIGHT, around("cors", allow_origins=["*"])),
    "cors.expose_headers": Use(["x-a"], ["x-b"], BROWSER, around("cors", allow_origins=["*"])),
    "cors.credentials": Use(True, False, BROWSER, around("cors", allow_origins=[ORIGIN])),
    "cors.max_age": Use(1, 2, PREFLIGHT, around("cors", allow_origins=["*"])),
}
"""Path of a leaf -> how it is seen to act."""
