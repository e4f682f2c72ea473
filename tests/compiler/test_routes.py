"""Routes, as they are written."""

import pytest

from kt.compiler import compile_source
from kt.errors import ConfigError
from kt.filters.printing import show
from kt.source import Source

TARGETS = "providers: {targets: [{id: a, provider: openai}]}\n"


def outcome(routes: str) -> tuple[list[str], list[str]]:
    """The conditions of routes, and what is warned of."""
    compiled = compile_source(Source("kt.yaml", f"{TARGETS}routes: [{routes}]"))
    found = [show(one.when) for one in compiled.plan.routing.routes]
    return found, [one.name for one in compiled.report.warnings]


@pytest.mark.parametrize(
    ("route", "condition"),
    [
        ("path: /v1/chat", 'request.path starts_with "/v1/chat"'),
        ("path: /v1/chat, match: exact", 'request.path == "/v1/chat"'),
        ("path: '/v1/(chat|messages)', match: regex", 'request.path matches "/v1/(chat|messages)"'),
        ("headers: {X-Team: ml}", 'header["x-team"] == "ml"'),
        ("model: [x, y]", 'request.model in ["x", "y"]'),
        ("methods: [get, post]", "true"),
    ],
)
def test_what_a_route_matches_is_a_condition(route: str, condition: str) -> None:
    assert outcome(f"{{name: r, upstream: a, {route}}}") == ([condition], [])


def test_a_route_that_is_switched_off_is_none() -> None:
    assert outcome("{name: r, upstream: a, enabled: false}") == ([], [])


@pytest.mark.parametrize(
    "routes",
    [
        "{name: r, methods: [GET]}",
        "{name: q, path: /v1}, {name: r, path: /v1/chat}",
        "{name: q}, {name: r, headers: {x-env: prod}}",
    ],
)
def test_a_route_that_no_request_reaches_is_warned_of(routes: str) -> None:
    assert outcome(routes)[1] == ["route_never"]


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("{upstream: zzz}", "unknown_target"),
        ("{chain: [pii-detector]}", "route_chain"),
        ("{headers: {authorization: x}}", "credential"),
        ("{path: '(?=x)', match: regex}", "filter.bad_pattern"),
    ],
)
def test_what_a_route_cannot_be_is_an_error(route: str, name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        outcome(route)
    assert [one.name for one in raised.value.report.errors] == [name]
