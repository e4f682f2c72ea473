"""What browsers are told."""

import attrs

from kt.plan import Cors
from kt.runtime.cors import CorsRules

RULES = Cors(
    origins=("https://a.example",),
    methods=("POST",),
    headers=("Authorization",),
    exposed=("X-Request-Id",),
    credentials=True,
    max_age=60,
)
HERE = {b"origin": b"https://a.example", b"access-control-request-method": b"POST"}
VARY = (b"vary", b"Origin")


def test_a_named_origin_may_ask() -> None:
    rules = CorsRules(RULES)
    assert rules.is_preflight("OPTIONS", HERE)
    told = dict(rules.preflight(HERE))
    assert told.pop(b"vary") == b"Origin, Access-Control-Request-Headers"
    assert told == {
        b"access-control-allow-origin": b"https://a.example",
        b"access-control-allow-credentials": b"true",
        b"access-control-allow-methods": b"POST",
        b"access-control-allow-headers": b"Authorization",
        b"access-control-max-age": b"60",
    }
    assert dict(rules.answer(HERE)) == {
        b"vary": b"Origin",
        b"access-control-allow-origin": b"https://a.example",
        b"access-control-allow-credentials": b"true",
        b"access-control-expose-headers": b"X-Request-Id",
    }


def test_another_origin_is_told_nothing() -> None:
    rules = CorsRules(RULES)
    for origin in (b"https://b.example", b"https://a.example.evil", b"null", b""):
        there = {**HERE, b"origin": origin}
        assert [name for name, _ in rules.preflight(there)] == [b"vary"]
        assert rules.answer(there) == (VARY,)
    assert rules.answer({}) == (VARY,)
    assert not rules.is_preflight("OPTIONS", {b"origin": b"https://a.example"})
    assert not rules.is_preflight("POST", HERE)


def test_any_origin_is_never_named_and_gets_no_credentials() -> None:
    plan = attrs.evolve(RULES, origins=("*",), headers=("*",), exposed=(), max_age=None)
    rules = CorsRules(plan)
    asked = {**HERE, b"access-control-request-headers": b"x-team"}
    told = dict(rules.preflight(asked))
    assert told[b"access-control-allow-origin"] == b"*"
    assert told[b"access-control-allow-headers"] == b"x-team"
    assert b"access-control-allow-credentials" not in told
    assert b"access-control-allow-headers" not in dict(rules.preflight(HERE))
