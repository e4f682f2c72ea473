"""What the analysis says of filters that people write."""

import pytest

from kt.filters.analysis import analyze, implies, reaches, satisfiable
from kt.filters.parser import parse_filter
from kt.filters.printing import show
from kt.filters.solving import Answer
from kt.filters.syntax import Filter, Not
from kt.filters.vocabulary import EVENT
from kt.source import Span


def read(text: str) -> Filter:
    return parse_filter(text, EVENT)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("latency_ms > 500 and latency_ms < 501", {"latency_ms": 500.5}),
        ("model starts_with 'gpt' and model ends_with '4' and not model contains '-'", None),
        ("model matches '^gpt-\\d{2}$' and model contains '-'", None),
        ("exists(policy) and not policy == 'a' and policy != 'b'", {"policy": None}),
        ("policies contains 'a' and not policies contains 'b'", {"policies": frozenset({"a"})}),
        ("not exists(model)", {}),
        ("status > 200 and status != 201 and stream", {"status": 202, "stream": True}),
    ],
)
def test_a_possible_filter_comes_with_facts(text: str, example: dict[str, object] | None) -> None:
    claim = satisfiable(read(text))
    assert claim.answer is Answer.YES
    assert claim.example is not None
    assert example is None or claim.example.values == example


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("stream and status > 500 and status < 501", ["status > 500", "status < 501"]),
        ("status < 0", ["status < 0"]),
        ("status in []", ["status in []"]),
        (
            "model starts_with 'a' and model starts_with 'b' and stream",
            ['model starts_with "a"', 'model starts_with "b"'],
        ),
        (
            "model matches 'a' and status == 1 and not model matches 'a'",
            ['model matches "a"', 'not model matches "a"'],
        ),
        (
            "model matches 'a' and not (model contains '' or stream)",
            ['model matches "a"', 'not model contains ""'],
        ),
        ("model in ['a', 'b'] and model matches 'c'", None),
        ("not exists(model) and model != 'a'", ["not exists(model)", 'model != "a"']),
        ("(status < 0 or status in []) and stream", ["status < 0", "status in []"]),
        (
            "verdict == 'allow' and (verdict == 'block' or verdict == 'flag') and stream",
            ['verdict == "allow"', 'verdict == "block" or verdict == "flag"'],
        ),
    ],
)
def test_an_impossible_filter_comes_with_the_conditions_that_conflict(
    text: str, conflict: list[str] | None
) -> None:
    claim = satisfiable(read(text))
    assert claim.answer is Answer.NO
    assert claim.example is None
    assert conflict is None or [show(tree) for tree in claim.conflict] == conflict


def test_a_conflict_knows_where_its_conditions_stand() -> None:
    claim = satisfiable(read("status > 5 and stream and not exists(status)"))
    assert [tree.span for tree in claim.conflict] == [Span(0, 10), Span(26, 44)]


@pytest.mark.parametrize(
    "text",
    [
        "model matches '^a+$' and model matches '^b+$'",
        " and ".join(f"(status == {number} or status == {number + 1})" for number in range(9)),
    ],
)
def test_what_cannot_be_decided_is_unknown(text: str) -> None:
    claim = satisfiable(read(text))
    assert claim.answer is Answer.UNKNOWN
    assert claim.example is None


def test_what_is_always_true_cannot_be_false() -> None:
    found = analyze(read("stream or not stream"))
    assert found.can_be_false.answer is Answer.NO
    assert found.can_be_true.answer is Answer.YES


def test_of_an_or_it_says_which_parts_decide() -> None:
    found = analyze(read("status > 5 or status > 7 or status < 0 or stream"))
    assert [reach.claim.answer for reach in found.branches] == [
        Answer.YES,
        Answer.NO,
        Answer.NO,
        Answer.YES,
    ]
    assert [reach.shadows for reach in found.branches] == [(), (0,), (), ()]
    assert analyze(read("stream and stream")).branches == ()


def test_several_filters_may_leave_nothing_together() -> None:
    texts = ("status < 5", "stream", "status >= 5", "exists(status)", "status == 7 or stream")
    *_, fourth, fifth = reaches([read(text) for text in texts])
    assert (fourth.claim.answer, fourth.shadows) == (Answer.NO, (0, 2))
    assert (fifth.claim.answer, fifth.shadows) == (Answer.NO, (1, 2))


def test_an_implication_has_a_reason_or_a_counterexample() -> None:
    yes = implies(read("status == 7 and stream"), read("status > 5"))
    assert yes.answer is Answer.YES
    assert [show(tree) for tree in yes.conflict] == ["status == 7", "not status > 5"]
    no = implies(read("not status == 5"), read("status != 5"))
    assert no.answer is Answer.NO
    assert no.example is not None
    assert no.example.values == {}


def test_absence_is_on_the_side_of_not() -> None:
    assert satisfiable(read("not status == 1 and not status != 1")).answer is Answer.YES
    assert satisfiable(Not(read("status == 1 or status != 1"))).answer is Answer.YES


def test_a_filter_behind_one_that_cannot_be_decided_is_unknown_itself() -> None:
    seen, hidden = reaches([read("model matches '^a'"), read("model matches '^ab'")])
    assert seen.claim.answer is Answer.YES
    assert hidden.claim.answer is Answer.UNKNOWN
    assert hidden.shadows == ()
