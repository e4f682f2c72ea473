"""The rows of routing."""

from kt.compiler import compile_source
from kt.explain import explain_text
from kt.explain.routing import routing_rows
from kt.source import Source
from tests.support.plans import plan

TEXT = """\
providers:
  targets: [{id: a, base_url: 'http://a'}, {id: b, base_url: 'http://b'}]
  routing: {strategy: weighted}
  fallback: {triggers: [timeout], max_fallback_attempts: 1, provider: b}
  circuit_breaker: {failure_threshold: 4, cooldown_seconds: 20}
gateway: {retry: {retryable_codes: [429]}}
health_monitor: {interval_seconds: 9}
model_groups: [{name: g, aliases: [h], targets: [{target: a, model: m, weight: 2}]}]
model_mapping: {gpt: {a: x}}
routes: [{name: r, path: /v1/chat, upstream: b}]
"""


def test_what_is_as_always_is_not_told() -> None:
    assert list(routing_rows(plan())) == []


def test_everything_else_is() -> None:
    whole = compile_source(Source("kt.yaml", TEXT)).plan
    assert [row[:2] for row in routing_rows(whole)] == [
        ("route r", 'to b when request.path starts_with "/v1/chat"'),
        ("group g", "weighted of a as m (2), also h"),
        ("model gpt", "is x at a"),
        ("strategy", "weighted"),
        ("retry", "3 attempts at each target on rate_limit"),
        ("fallback", "1 more targets on timeout, b last"),
        ("probes", "GET /v1/models every 9s"),
        ("circuit a", "left alone for 20s after 4 failures in a row, then 1 tries"),
        ("circuit b", "left alone for 20s after 4 failures in a row, then 1 tries"),
    ]
    assert "\nrouting\n" in explain_text(whole)
