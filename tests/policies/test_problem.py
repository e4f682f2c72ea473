"""Problems of fields."""

from kt.policies.problem import bad_pattern, conflict, not_enforced, out_of_range


def test_a_field_that_is_not_set_is_no_problem() -> None:
    assert not_enforced("a", None, "hint") == ()
    assert out_of_range("a", None, 0, 1) == ()
    assert conflict("a", None, "b", 1) == conflict("a", 1, "b", None) == ()


def test_a_field_that_nothing_acts_on_is_a_warning_even_if_it_says_false() -> None:
    (problem,) = not_enforced("x.y", False, "do this")
    assert problem.is_warning
    assert (problem.field, problem.code_name, problem.hint) == ("x.y", "not_enforced", "do this")


def test_the_ends_of_a_range_are_in_it() -> None:
    assert out_of_range("a", 0, 0, 1) == out_of_range("a", 1, 0, 1) == ()
    (problem,) = out_of_range("a", 1.5, 0, 1)
    assert (problem.code_name, problem.message) == ("out_of_range", "'a' is 1.5, outside 0 to 1")
    assert not problem.is_warning


def test_two_spellings_may_say_the_same() -> None:
    assert conflict("a", 1, "b", 1) == ()
    (problem,) = conflict("a", 1, "b", 2)
    assert (problem.field, problem.code_name) == ("a", "conflict")


def test_a_bad_pattern_is_an_error_with_its_place_in_the_pattern() -> None:
    (problem,) = bad_pattern("patterns[0]", "ab(?=c)")
    assert (problem.code_name, problem.start, problem.end) == ("lookaround", 2, 5)
    assert problem.hint
    assert not problem.is_warning


def test_a_pattern_that_matches_nothing_at_all_is_an_error() -> None:
    assert [problem.code_name for problem in bad_pattern("p", "a*")] == ["matches_empty"]


def test_a_lazy_quantifier_is_a_warning() -> None:
    (problem,) = bad_pattern("p", "a.*?b")
    assert problem.is_warning
    assert (problem.start, problem.end) == (2, 4)


def test_a_good_pattern_is_no_problem() -> None:
    assert bad_pattern("p", r"(?i)\bgood\b") == ()
