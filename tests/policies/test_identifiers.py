"""The kinds about personal data that look for a fixed list."""

from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.policies import PolicyKind
from kt.policies.actions import RedactOrBlock
from kt.policies.case_privacy import CasePrivacy
from kt.policies.hipaa_phi_detector import HipaaPhiDetector
from kt.policies.pii_detector import PiiDetector
from kt.policies.rules.personal_data import ENTITIES
from kt.policies.student_privacy import StudentPrivacy
from kt.policy import Action, Phase
from tests.support.findings import redacted, scan, warned


class Maker(Protocol):
    """A kind that takes an action."""

    def __call__(self, *, action: RedactOrBlock = ...) -> PolicyKind:
        """Make one."""


MAKERS: tuple[Maker, ...] = (HipaaPhiDetector, StudentPrivacy, CasePrivacy)


@pytest.mark.parametrize("make", MAKERS)
def test_it_redacts_or_blocks_as_it_is_told(make: Maker) -> None:
    facts = make().facts(Phase.INPUT)
    assert (facts.edits, facts.can_block) == (True, False)
    assert scan(make()).action is Action.REDACT
    facts = make(action=RedactOrBlock.BLOCK).facts(Phase.INPUT)
    assert (facts.edits, facts.can_block) == (False, True)
    assert scan(make(action=RedactOrBlock.BLOCK)).action is Action.BLOCK


@pytest.mark.parametrize("make", MAKERS)
def test_it_always_says_what_it_does_not_find(make: Maker) -> None:
    assert warned(make()) == [("", "not_found")]


def test_each_finds_what_it_is_about() -> None:
    text = "MRN: 12345678, student id: S1234567, case no. 2023-CR-00123, DOB: 1990-04-12"
    assert redacted(HipaaPhiDetector(), text) == (
        "[MRN], student id: S1234567, case no. 2023-CR-00123, [DATE_OF_BIRTH]"
    )
    assert redacted(StudentPrivacy(), text) == (
        "MRN: 12345678, [STUDENT_ID], case no. 2023-CR-00123, [DATE_OF_BIRTH]"
    )
    assert redacted(CasePrivacy(), text) == (
        "MRN: 12345678, student id: S1234567, [CASE_NUMBER], [DATE_OF_BIRTH]"
    )


def test_what_is_not_done_is_warned_of() -> None:
    kind = HipaaPhiDetector(safe_harbor_method=False)
    assert warned(kind) == [("", "not_found"), ("safe_harbor_method", "not_enforced")]
    assert warned(StudentPrivacy(age_gate=True)) == [
        ("", "not_found"),
        ("age_gate", "not_enforced"),
    ]


@given(st.lists(st.sampled_from(["a b", "ann@example.com", "078-05-1120", "555-234-5678", "x"])))
def test_law_what_two_kinds_look_for_they_redact_alike(words: list[str]) -> None:
    text = " and ".join(words)
    names = {"EMAIL", "SSN", "PHONE"}
    plain = redacted(PiiDetector(entities=tuple(names & ENTITIES.keys())), text)
    assert redacted(StudentPrivacy(), text) == redacted(CasePrivacy(), text) == plain
