"""`dlp-filter`."""

import pytest

from kt.edits import apply
from kt.patterns.matcher import compile_rules
from kt.policies.actions import RedactOrBlock
from kt.policies.dlp_filter import DlpFilter, NamedPattern, SensitivityLevel
from kt.policy import Action, Edit, Phase


def redacted(kind: DlpFilter, text: str) -> str:
    """The text with every finding replaced."""
    rules = kind.body(Phase.INPUT).rules
    edits = [
        Edit(0, one.start, one.end, rules[one.rule].label, rule=one.rule)
        for one in compile_rules(rules).find(text)
    ]
    return apply(text.encode(), edits).decode()


def test_it_redacts_by_default_in_both_directions() -> None:
    assert DlpFilter.PHASES == (Phase.INPUT, Phase.OUTPUT)
    kind = DlpFilter(blocked_terms=("Project Falcon",), detect_patterns=(r"EMP-\d{4}",))
    assert redacted(kind, "EMP-1234 of PROJECT FALCON, emp-1234") == "[DLP] of [DLP], emp-1234"
    facts = kind.facts(Phase.OUTPUT)
    assert (facts.edits, facts.can_block) == (True, False)


@pytest.mark.parametrize("action", list(Action))
def test_any_action_may_be_chosen(action: Action) -> None:
    kind = DlpFilter(action=action)
    assert kind.body(Phase.INPUT).action is action
    assert kind.facts(Phase.INPUT).can_block is (action is Action.BLOCK)


def test_a_block_says_what_was_blocked() -> None:
    said = [DlpFilter().body(phase).message.split()[0] for phase in DlpFilter.PHASES]
    assert said == ["Request", "Answer"]
    assert DlpFilter(message="no").body(Phase.INPUT).message == "no"


def test_a_named_pattern_is_labeled_by_its_name() -> None:
    patterns = (
        NamedPattern(name="cui markings", regex="CUI//(SP-)?[A-Z]+"),
        NamedPattern(name="--", regex="x-y"),
    )
    kind = DlpFilter(patterns=patterns)
    assert redacted(kind, "CUI//SP-PRVCY cui//x x-y") == "[CUI_MARKINGS] cui//x [DLP]"


def named(*actions: RedactOrBlock | None, action: Action | None = None) -> DlpFilter:
    """A filter with a pattern for every action."""
    patterns = tuple(NamedPattern(name="a", regex="x-y", action=one) for one in actions)
    return DlpFilter(patterns=patterns, action=action)


def test_the_filter_does_what_all_its_patterns_ask_for() -> None:
    redact, block = RedactOrBlock.REDACT, RedactOrBlock.BLOCK
    cases = ((named(), Action.REDACT), (named(block, block), Action.BLOCK))
    for kind, action in (*cases, (named(block, None), Action.REDACT)):
        assert kind.body(Phase.INPUT).action is action
    assert named(redact, action=Action.BLOCK).body(Phase.INPUT).action is Action.BLOCK
    assert named(block, block).facts(Phase.INPUT).can_block


def test_a_pattern_that_asks_for_something_else_is_warned_of() -> None:
    redact, block = RedactOrBlock.REDACT, RedactOrBlock.BLOCK
    (problem,) = named(redact, block).problems()
    assert (problem.field, problem.code_name) == ("patterns[1].action", "not_enforced")
    assert named(redact, redact).problems() == named(block, action=Action.BLOCK).problems() == ()


MARKED = [
    ("TOP SECRET//NOFORN", "standard", False),
    ("TOP SECRET//NOFORN", "high", True),
    ("SECRET//REL TO USA", "high", True),
    ("(S//NF) the text", "high", True),
    ("CUI", "high", True),
    ("for internal use only", "high", True),
    ("Company Confidential", "high", True),
    ("CONFIDENTIAL", "high", False),
    ("CONFIDENTIAL", "restricted", True),
    ("internal use only", "restricted", True),
    ("it is a secret, top secret even", "restricted", False),
    ("(C) 2020 and (a) or (S)", "restricted", False),
    ("confidential", "restricted", False),
    ("the class is restricted", "restricted", False),
]


@pytest.mark.parametrize(("text", "level", "is_found"), MARKED)
def test_markings_are_found_above_the_standard_level(text: str, level: str, is_found: bool) -> None:
    kind = DlpFilter(sensitivity_level=SensitivityLevel(level))
    assert ("[CLASSIFICATION]" in redacted(kind, text)) is is_found


def test_a_banner_is_one_marking() -> None:
    kind = DlpFilter(sensitivity_level=SensitivityLevel.HIGH)
    assert redacted(kind, "TOP SECRET//SI//NOFORN\nThe") == "[CLASSIFICATION]\nThe"


def test_fuzzy_matching_is_for_terms_only() -> None:
    kind = DlpFilter(
        blocked_terms=("falcon",), detect_patterns=("eagle",), fuzzy_matching=True, max_distance=1
    )
    assert redacted(kind, "falkon eagel") == "[DLP] eagel"


def test_a_filter_that_looks_for_nothing_says_so() -> None:
    (problem,) = DlpFilter().problems()
    assert (problem.field, problem.code_name, problem.is_warning) == (
        "blocked_terms",
        "empty",
        True,
    )
    assert DlpFilter(sensitivity_level=SensitivityLevel.HIGH).problems() == ()


def test_bad_entries_are_placed_in_their_lists() -> None:
    kind = DlpFilter(
        detect_patterns=("a", "b(?=c)"),
        patterns=(NamedPattern(name="x", regex="("),),
        blocked_terms=("fine", "("),
        max_distance=9,
    )
    assert [(one.field, one.code_name) for one in kind.problems()] == [
        ("max_distance", "out_of_range"),
        ("blocked_terms[1]", "unbalanced"),
        ("detect_patterns[1]", "lookaround"),
        ("patterns[0].regex", "unbalanced"),
    ]
