"""`prompt-injection`."""

import pytest

from kt.patterns.matcher import compile_rules
from kt.policies.problem import Problem
from kt.policies.prompt_injection import (
    Backend,
    Boundaries,
    Detection,
    Encoding,
    InjectionAction,
    PromptInjection,
    Response,
)
from kt.policies.rules.injection import FAKE_BOUNDARIES, SIGNALS
from kt.policies.terms import in_any_case
from kt.policy import Action, Phase, View


def test_it_blocks_by_default_and_looks_into_base64() -> None:
    body = PromptInjection().body(Phase.INPUT)
    assert (body.action, body.decode) == (Action.BLOCK, ("base64",))
    assert body.message == "Request blocked: potential prompt injection"
    assert len(body.rules) == len(SIGNALS) + len(FAKE_BOUNDARIES)
    assert {rule.view for rule in body.rules} == {View.FOLDED}
    assert PromptInjection().facts(Phase.INPUT).can_block


def test_a_streamed_answer_is_never_decoded_and_is_called_an_answer() -> None:
    body = PromptInjection().body(Phase.OUTPUT)
    assert body.decode == ()
    assert body.message == "Answer blocked: potential prompt injection"


@pytest.mark.parametrize(
    ("unicode", "homoglyphs", "view"),
    [
        (True, True, View.FOLDED),
        (False, True, View.FOLDED),
        (True, False, View.NORMALIZED),
        (False, False, View.TEXT),
    ],
)
def test_the_view_follows_the_disguises_that_are_seen_through(
    unicode: bool, homoglyphs: bool, view: View
) -> None:
    encoding = Encoding(
        decode_base64=False, normalize_unicode=unicode, detect_homoglyphs=homoglyphs
    )
    body = PromptInjection(encoding=encoding).body(Phase.INPUT)
    assert body.decode == ()
    assert {rule.view for rule in body.rules} == {view}


def test_fake_boundaries_can_be_let_through() -> None:
    boundaries = Boundaries(reject_fake_boundaries=False)
    assert len(PromptInjection(boundaries=boundaries).body(Phase.INPUT).rules) == len(SIGNALS)


def test_own_patterns_of_both_dialects_are_added_and_ignore_case() -> None:
    kind = PromptInjection(
        detection=Detection(attack_patterns=("open sesame",)), attack_patterns=("(?i)abra",)
    )
    rules = kind.body(Phase.INPUT).rules[-2:]
    assert [rule.id for rule in rules] == [
        "injection.attack_pattern_1",
        "injection.attack_pattern_2",
    ]
    assert len(compile_rules(rules).find("Open Sesame! ABRA")) == 2
    assert kind.problems() == ()


def test_a_pattern_with_flags_of_its_own_keeps_them() -> None:
    assert in_any_case("(?s)a.b") == "(?s)a.b"
    assert in_any_case("(?:a|b)c") == "(?i:(?:a|b)c)"
    assert in_any_case("(a)b") == "(?i:(a)b)"


@pytest.mark.parametrize("action", list(InjectionAction))
def test_either_spelling_of_the_action_counts(action: InjectionAction) -> None:
    flat = PromptInjection(action=action)
    nested = PromptInjection(response=Response(action=action, message="no"))
    assert flat.body(Phase.INPUT).action == nested.body(Phase.INPUT).action == Action(action.value)
    assert flat.facts(Phase.INPUT).can_block is (action is InjectionAction.BLOCK)
    assert nested.body(Phase.INPUT).message == "no"


def errors(kind: PromptInjection) -> list[tuple[str, str]]:
    return [(one.field, one.code_name) for one in kind.problems() if not one.is_warning]


def warnings(kind: PromptInjection) -> list[str]:
    return [one.field for one in kind.problems() if one.is_warning]


def test_contradictions_are_errors() -> None:
    kind = PromptInjection(
        action=InjectionAction.BLOCK,
        response=Response(action=InjectionAction.FLAG),
        embedding_threshold=0.5,
        detection=Detection(embedding_threshold=0.6),
    )
    assert errors(kind) == [
        ("response.action", "conflict"),
        ("detection.embedding_threshold", "conflict"),
    ]


def test_thresholds_lie_between_zero_and_one() -> None:
    kind = PromptInjection(threshold=1.5, embedding_threshold=-1.0)
    assert errors(kind) == [("embedding_threshold", "out_of_range"), ("threshold", "out_of_range")]


def test_a_bad_pattern_is_placed_in_its_list() -> None:
    kind = PromptInjection(
        detection=Detection(attack_patterns=("ok", "(")), attack_patterns=("x(?!y)",)
    )
    first, second = kind.problems()
    assert first.field == "detection.attack_patterns[1]"
    assert (second.field, second.code_name, second.start) == ("attack_patterns[0]", "lookaround", 1)


def test_a_pattern_that_is_too_much_only_as_it_runs_is_wrong_as_a_whole() -> None:
    deep = "(" * 24 + "a" + ")" * 24
    (problem,) = PromptInjection(attack_patterns=(deep,)).problems()
    assert isinstance(problem, Problem)
    assert (problem.code_name, problem.start, problem.end) == ("too_deep", 0, len(deep))


def test_what_is_not_enforced_warns_only_where_it_is_set() -> None:
    assert PromptInjection().problems() == ()
    kind = PromptInjection(
        detection=Detection(embedding_threshold=0.8),
        embedding_threshold=0.8,
        threshold=0.8,
        backend=Backend.EXTERNAL,
        boundaries=Boundaries(enforce_delimiters=False),
        response=Response(log_level="warn"),
    )
    assert warnings(kind) == [
        "detection.embedding_threshold",
        "embedding_threshold",
        "threshold",
        "backend",
        "boundaries.enforce_delimiters",
        "response.log_level",
    ]
    assert errors(kind) == []
