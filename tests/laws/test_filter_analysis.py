"""Laws of what is claimed of filters, checked against all facts of small domains."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kt.filters.analysis import Claim, Reach, analyze, implies, reaches, satisfiable
from kt.filters.evaluation import compile_filter
from kt.filters.folding import fold
from kt.filters.parser import parse_filter
from kt.filters.printing import show
from kt.filters.solving import Answer
from kt.filters.syntax import And, Filter, Not, all_of, any_of
from tests.support.filter_strategies import (
    SMALL,
    conjunctions,
    every_facts,
    filters,
    has_pattern,
    holds,
    with_not_pushed_inwards,
)


def read(text: str) -> Filter:
    return parse_filter(text, SMALL)


def check_claim(tree: Filter, claim: Claim) -> None:
    """A YES is shown by facts, a NO holds for all facts, and so does what is said to cause it."""
    if claim.answer is Answer.YES:
        assert claim.example is not None
        assert compile_filter(tree)(claim.example)
        assert holds(tree, claim.example)
    elif claim.answer is Answer.NO:
        assert not any(holds(tree, facts) for facts in every_facts(tree))
    else:
        assert has_pattern(tree)


@given(st.one_of(filters(), conjunctions()))
def test_what_is_said_to_be_possible_is_shown_and_what_is_impossible_never_happens(
    tree: Filter,
) -> None:
    found = analyze(tree)
    check_claim(tree, found.can_be_true)
    check_claim(Not(tree), found.can_be_false)


@given(filters(max_leaves=4), filters(max_leaves=4))
def test_an_implication_holds_for_all_facts_or_is_refuted_by_some(
    first: Filter, second: Filter
) -> None:
    check_implication(first, second, implies(first, second))


def check_implication(first: Filter, second: Filter, claim: Claim) -> None:
    if claim.answer is Answer.YES:
        every = every_facts(first, second)
        assert all(holds(second, facts) for facts in every if holds(first, facts))
    elif claim.answer is Answer.NO:
        assert claim.example is not None
        assert holds(first, claim.example)
        assert not holds(second, claim.example)


@given(conjunctions())
def test_a_conflict_is_impossible_and_each_of_its_conditions_is_needed(tree: Filter) -> None:
    claim = satisfiable(tree)
    if claim.answer is Answer.NO:
        check_conflict(tree, claim.conflict)


def check_conflict(tree: Filter, conflict: tuple[Filter, ...]) -> None:
    parts = tree.all_of if isinstance(tree, And) else (tree,)
    assert set(conflict) <= set(parts)
    assert not any(holds(all_of(conflict), facts) for facts in every_facts(all_of(conflict)))
    for index in range(len(conflict)):
        rest = all_of((*conflict[:index], *conflict[index + 1 :]))
        assert satisfiable(rest).answer is not Answer.NO


@given(filters())
def test_the_conflict_of_any_filter_is_impossible_wherever_one_option_must_be_taken(
    tree: Filter,
) -> None:
    claim = satisfiable(tree)
    if claim.answer is Answer.NO:
        assert claim.conflict
        conflict = all_of(claim.conflict)
        assert not any(holds(conflict, facts) for facts in every_facts(conflict))


@given(st.lists(filters(max_leaves=3), max_size=4))
def test_a_filter_is_unreachable_only_if_the_named_ones_leave_nothing(trees: list[Filter]) -> None:
    for index, reach in enumerate(reaches(trees)):
        check_reach(trees, index, reach)


def check_reach(trees: list[Filter], index: int, reach: Reach) -> None:
    if reach.claim.answer is Answer.YES:
        assert reach.claim.example is not None
        first = [holds(tree, reach.claim.example) for tree in trees].index(True)
        assert first == index
    elif reach.claim.answer is Answer.NO:
        assert set(reach.shadows) <= set(range(index))
        shadows = any_of(trees[place] for place in reach.shadows)
        every = every_facts(trees[index], shadows)
        assert all(holds(shadows, facts) for facts in every if holds(trees[index], facts))


@given(filters())
@example(read("not (true and not whole == 1)"))
def test_a_folded_filter_is_true_for_the_same_facts_and_folds_no_further(tree: Filter) -> None:
    folded = fold(tree)
    check_same(tree, folded)
    assert fold(folded) == folded
    assert len(show(folded)) <= max(len(show(tree)), len("false"))


def check_same(tree: Filter, other: Filter) -> None:
    assert all(holds(tree, facts) is holds(other, facts) for facts in every_facts(tree, other))


@given(filters())
def test_the_analysis_is_the_same_when_asked_again(tree: Filter) -> None:
    assert analyze(tree) == analyze(tree)


# ---- Tests of the tests: bugs that the laws above must notice


def test_the_law_notices_a_claim_that_forgets_absence() -> None:
    tree = read("not whole == 1 and not whole != 1")
    wrong = satisfiable(with_not_pushed_inwards(tree))
    with pytest.raises(AssertionError):
        check_claim(tree, Claim(Answer.NO))
    with pytest.raises(AssertionError):
        check_claim(read("not text == 'a' and not exists(text)"), wrong)


def test_the_law_notices_a_claim_that_takes_every_number_for_whole() -> None:
    whole = satisfiable(read("whole > 1 and whole < 2"))
    assert whole.answer is Answer.NO
    with pytest.raises(AssertionError):
        check_claim(read("real > 1 and real < 2"), whole)


def test_the_law_notices_facts_for_which_the_filter_is_false() -> None:
    with pytest.raises(AssertionError):
        check_claim(read("text != 'a'"), satisfiable(read("text == 'a'")))


def test_the_law_notices_an_unknown_without_a_pattern() -> None:
    with pytest.raises(AssertionError):
        check_claim(read("text == 'a'"), Claim(Answer.UNKNOWN))


def test_the_law_notices_an_implication_that_takes_no_comparison_for_its_opposite() -> None:
    first, second = read("not whole == 1"), read("whole != 1")
    assert implies(first, second).answer is Answer.NO
    with pytest.raises(AssertionError):
        check_implication(first, second, implies(with_not_pushed_inwards(first), second))


def test_the_law_notices_a_conflict_with_more_than_is_needed() -> None:
    tree = read("whole == 1 and truth and whole == 2")
    assert isinstance(tree, And)
    with pytest.raises(AssertionError):
        check_conflict(tree, tree.all_of)


def test_the_law_notices_a_shadow_that_leaves_something() -> None:
    trees = [read("whole < 2"), read("whole < 3")]
    with pytest.raises(AssertionError):
        check_reach(trees, 1, Reach(Claim(Answer.NO), (0,)))


def test_the_law_notices_a_fold_that_loses_a_part() -> None:
    with pytest.raises(AssertionError):
        check_same(read("whole == 1 or truth"), read("whole == 1"))
