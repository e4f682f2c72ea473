"""The list of patterns: every rule of the plan once, in the order in which they are asked."""

import attrs

from kt.compiler import compile_source
from kt.explain.patterns import patterns_text, searched
from kt.plan import NotEnforced, Scan
from kt.policy import Phase
from kt.source import Source
from tests.support.config_strategies import WHOLE
from tests.support.plans import plan, record_step, scan_step


def test_every_rule_is_listed_with_its_pattern_view_and_validator() -> None:
    whole = compile_source(Source("kt.yaml", "policies: {chain: [pii-detector]}\n")).plan
    rules = [
        (step.name, rule.id, rule.pattern, rule.view, rule.validator)
        for phase in (Phase.INPUT, Phase.OUTPUT)
        for step in whole.steps(phase)
        if isinstance(step.body, Scan)
        for rule in step.body.rules
    ]
    found = [
        (one.policy, one.rule, one.pattern, one.view, one.validator) for one in searched(whole)
    ]
    assert found == rules
    assert any(one.validator is not None for one in searched(whole))


def test_the_text_has_every_pattern_and_the_hash_of_every_list() -> None:
    whole = compile_source(Source("kt.yaml", WHOLE)).plan
    text = patterns_text(whole)
    assert all(one.pattern in text for one in searched(whole) if one.pattern.isprintable())
    assert all(f"{digest[:12]}\n" in text for _, digest in whole.rule_lists)


def test_what_is_not_performed_is_not_looked_for() -> None:
    idle = attrs.evolve(scan_step("a", "x"), body=NotEnforced(reason="not yet"))
    assert list(searched(plan(idle, record_step()))) == []
    assert "PATTERNS test@1.0.0  (format may change; use --json): nothing" in patterns_text(plan())


def test_no_pattern_breaks_its_line() -> None:
    text = patterns_text(plan(scan_step("a", "x\ny\x1b")))
    assert text.count("\n") == 3
    assert r"x\x{a}y\x{1b}" in text
