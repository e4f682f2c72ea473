"""`pii-detector`."""

import pytest

from kt.edits import apply
from kt.patterns.matcher import compile_rules
from kt.policies.pii_detector import MarkerFormat, PiiAction, PiiDetector, Redaction
from kt.policies.rules.personal_data import BUILT_IN, HEALTH, PCI
from kt.policy import Action, Edit, Phase

TEXT = "mail a.b@mail.example, ssn 078-05-1120, card 4111 1111 1111 1111"


def redacted(kind: PiiDetector, text: str) -> str:
    rules = kind.body(Phase.INPUT).rules
    edits = [
        Edit(
            0,
            one.start,
            one.end,
            rules[one.rule].label,
            rules[one.rule].derived,
            rules[one.rule].severity,
            rule=one.rule,
        )
        for one in compile_rules(rules).find(text)
    ]
    return apply(text.encode(), edits).decode()


def labels(kind: PiiDetector) -> set[str]:
    return {rule.label for rule in kind.body(Phase.INPUT).rules}


def names(*groups: tuple[str, ...]) -> set[str]:
    return {f"[{name}]" for group in groups for name in group}


def test_it_redacts_by_default_in_both_directions() -> None:
    assert PiiDetector.PHASES == (Phase.INPUT, Phase.OUTPUT)
    assert redacted(PiiDetector(), TEXT) == "mail [EMAIL], ssn [SSN], card [CREDIT_CARD]"
    facts = PiiDetector().facts(Phase.INPUT)
    assert (facts.edits, facts.can_block) == (True, False)


def test_it_can_block_instead() -> None:
    kind = PiiDetector(action=PiiAction.BLOCK)
    facts = kind.facts(Phase.OUTPUT)
    assert (facts.edits, facts.can_block) == (False, True)
    assert kind.body(Phase.INPUT).action is Action.BLOCK
    assert kind.body(Phase.INPUT).message == "Request blocked: it contains personal data"
    assert kind.body(Phase.OUTPUT).message == "Answer blocked: it contains personal data"


def test_modes_add_and_remove_entities() -> None:
    built_in, pci, health = (tuple(one.name for one in group) for group in (BUILT_IN, PCI, HEALTH))
    assert labels(PiiDetector()) == names(built_in, pci)
    assert labels(PiiDetector(pci_mode=False)) == names(built_in)
    assert labels(PiiDetector(healthcare_mode=True)) == names(built_in, pci, health)
    assert labels(PiiDetector(entities=("email",))) == {"[EMAIL]"}
    assert labels(PiiDetector(entities=("EMAIL", "CREDIT_CARD"))) == names(("EMAIL",), pci)


def test_detect_patterns_are_names_or_patterns() -> None:
    kind = PiiDetector(entities=(), detect_patterns=("tax_id", r"EMP-\d{4}", "ssn"))
    assert labels(kind) == {"[TAX_ID]", "[SSN]", "[PATTERN_2]"}
    assert redacted(kind, "EMP-1234 a@b.com") == "[PATTERN_2] a@b.com"
    assert kind.problems() == ()


@pytest.mark.parametrize(
    ("redaction", "shown"),
    [
        (Redaction(), "[SSN]"),
        (Redaction(marker_format=MarkerFormat.ASTERISKS), "***"),
        (Redaction(marker_format=MarkerFormat.PARTIAL), "*******1120"),
        (Redaction(preserve_length=True), "[SSN]******"),
        (Redaction(marker_format=MarkerFormat.ASTERISKS, preserve_length=True), "***********"),
        (Redaction(custom_markers=(("ssn", "<gone>"),)), "<gone>"),
        (Redaction(custom_markers=(("US_SSN", "<g>"),), preserve_length=True), "<g>********"),
        (
            Redaction(marker_format=MarkerFormat.PARTIAL, custom_markers=(("SSN", "<gone>"),)),
            "<gone>",
        ),
    ],
)
def test_a_redaction_looks_as_configured(redaction: Redaction, shown: str) -> None:
    assert redacted(PiiDetector(redaction=redaction), "078-05-1120!") == f"{shown}!"


def test_a_custom_marker_may_name_a_pattern() -> None:
    redaction = Redaction(custom_markers=(("pattern_1", "<badge>"),))
    kind = PiiDetector(detect_patterns=(r"EMP-\d{4}",), redaction=redaction)
    assert redacted(kind, "EMP-1234") == "<badge>"
    assert kind.problems() == ()


def test_equal_sets_of_entities_give_every_rule_once() -> None:
    kind = PiiDetector(detect_patterns=("ssn", "SSN", "us_ssn"))
    ids = [rule.id for rule in kind.body(Phase.INPUT).rules]
    assert len(ids) == len(set(ids))


def problems(kind: PiiDetector) -> list[tuple[str, str, bool]]:
    return [(one.field, one.code_name, one.is_warning) for one in kind.problems()]


def test_defaults_are_no_problem() -> None:
    assert problems(PiiDetector()) == []


def test_unknown_names_are_reported() -> None:
    kind = PiiDetector(
        entities=("EMAIL", "EMIAL"),
        detect_patterns=("shoe_size",),
        redaction=Redaction(custom_markers=(("IBAN", "x"),), include_metadata=True),
    )
    assert problems(kind) == [
        ("detect_patterns[0]", "unknown_entity", True),
        ("entities[1]", "unknown_entity", False),
        ("redaction.custom_markers.IBAN", "unknown_marker", True),
        ("redaction.include_metadata", "not_enforced", True),
    ]


def test_a_card_that_is_named_and_switched_off_is_a_conflict() -> None:
    assert problems(PiiDetector(entities=("EMAIL", "card"), pci_mode=False)) == [
        ("entities[1]", "conflict", False)
    ]


def test_a_detector_that_looks_for_nothing_says_so() -> None:
    assert problems(PiiDetector(entities=())) == [("entities", "empty", True)]


def test_a_bad_pattern_is_placed_in_its_list() -> None:
    (problem,) = PiiDetector(detect_patterns=("ssn", "a(?<=b)")).problems()
    assert (problem.field, problem.code_name, problem.start) == (
        "detect_patterns[1]",
        "lookaround",
        1,
    )


def test_fields_is_another_word_for_entities() -> None:
    assert PiiDetector(fields=("email",)).body(Phase.INPUT) == PiiDetector(
        entities=("email",)
    ).body(Phase.INPUT)
    (problem,) = PiiDetector(fields=("email",), entities=("ssn",)).problems()
    assert (problem.field, problem.code_name) == ("entities", "conflict")
    assert PiiDetector(fields=("nobody",)).problems()[0].field == "fields[0]"


def test_data_without_a_form_is_warned_of_and_never_a_pattern() -> None:
    kind = PiiDetector(entities=("PERSON", "EMAIL_ADDRESS"), detect_patterns=("name", "ssn"))
    assert [(one.field, one.code_name, one.is_warning) for one in kind.problems()] == [
        ("detect_patterns[0]", "not_found", True),
        ("entities[0]", "not_found", True),
    ]
    plain = PiiDetector(entities=("EMAIL",), detect_patterns=("ssn",))
    assert kind.body(Phase.INPUT) == plain.body(Phase.INPUT)
