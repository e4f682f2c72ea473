"""Texts made from a pattern are found by it."""

import pytest
from hypothesis import given

from kt.patterns.matcher import compile_rules
from kt.patterns.samples import samples
from kt.policies.pii_detector import PiiDetector
from kt.policies.prompt_injection import PromptInjection
from kt.policy import Phase, Rule
from tests.support.pattern_strategies import rules

BUILT_IN = (
    *PiiDetector(healthcare_mode=True).body(Phase.INPUT).rules,
    *PromptInjection().body(Phase.INPUT).rules,
)


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
def test_every_built_in_rule_has_a_sample(rule: Rule) -> None:
    assert samples(rule)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("abc", "abc"), (r"\d{3}-\d", "111-1"), ("(?:x|y)z+", "xz"), ("a{2,}", "aa"), (r"\bk\b", "k")],
)
def test_the_first_sample_is_short_and_readable(pattern: str, text: str) -> None:
    assert samples(Rule(id="r", pattern=pattern)) == (text,)


def test_a_rule_that_nothing_satisfies_has_no_sample() -> None:
    assert samples(Rule(id="r", pattern=r"a\bb")) == ()


@given(rules)
def test_a_sample_is_found(rule: Rule) -> None:
    for text in samples(rule, 3):
        assert compile_rules((rule,)).find(text)
