"""The kinds that keep advice out of answers."""

import pytest

from kt.plan import NotEnforced
from kt.policies import PolicyKind
from kt.policies.financial_compliance import FinancialCompliance
from kt.policies.healthcare_compliance import HealthcareCompliance
from kt.policies.upl_filter import UplFilter
from kt.policy import Action, Phase
from tests.support.findings import found, scan, warned

PHRASES = ("guaranteed returns", "you (should|must) (buy|sue)")


@pytest.mark.parametrize("kind", [UplFilter, FinancialCompliance, HealthcareCompliance])
def test_without_phrases_advice_is_not_told_from_information(kind: type[PolicyKind]) -> None:
    assert kind.PHASES == (Phase.OUTPUT,)
    assert isinstance(kind().body(Phase.OUTPUT), NotEnforced)


@pytest.mark.parametrize(
    "kind",
    [
        UplFilter(blocked_patterns=PHRASES),
        FinancialCompliance(blocked_patterns=PHRASES),
        HealthcareCompliance(blocked_patterns=PHRASES),
    ],
)
def test_blocked_phrases_block(kind: PolicyKind) -> None:
    body = scan(kind, Phase.OUTPUT)
    assert body.action is Action.BLOCK
    assert body.message.startswith("Answer blocked: it contains ")
    assert kind.facts(Phase.OUTPUT).can_block
    assert {one.rsplit(".", 1)[1] for one in found(kind, "Guaranteed Returns: you must buy!")} == {
        "blocked_patterns_1",
        "blocked_patterns_2",
    }
    assert found(kind, "no returns are guaranteed") == set()
    assert warned(kind) == []


def test_what_is_not_done_is_warned_of() -> None:
    disclaimers = [("required_disclaimers", "not_enforced")]
    assert warned(FinancialCompliance(required_disclaimers=("x",))) == disclaimers
    health = HealthcareCompliance(required_disclaimers=("x",), fda_class="II")
    assert warned(health) == [*disclaimers, ("fda_class", "not_enforced")]
    assert warned(UplFilter(require_disclaimer=True, rewrite_to_educational=False)) == [
        ("require_disclaimer", "not_enforced"),
        ("rewrite_to_educational", "not_enforced"),
    ]


def test_a_bad_phrase_is_an_error() -> None:
    (problem,) = UplFilter(blocked_patterns=("(",)).problems()
    assert (problem.field, problem.is_warning) == ("blocked_patterns[0]", False)
