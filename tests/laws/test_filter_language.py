"""Laws of reading, printing and running filters."""

import re

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kt.filters.evaluation import Predicate, compile_filter
from kt.filters.facts import FilterFacts
from kt.filters.parser import parse_filter
from kt.filters.printing import show
from kt.filters.refusals import REASONS, FilterError, refusal
from kt.filters.syntax import Always, And, Comparison, Exists, Filter, Not, Or, atoms
from kt.filters.vocabulary import EVENT, REQUEST
from kt.plan import canonical_json
from kt.source import Span
from tests.support.filter_strategies import (
    SMALL,
    every_facts,
    filters,
    holds,
    with_not_pushed_inwards,
)

SPELLINGS = (
    *("and", "or", "not", "in", "exists", "exists(policy)", "contains", "starts_with", "matches"),
    *("ends_with", "==", "=", "!=", "<", "<=", ">", ">=", "~", "(", ")", "[", "]", ",", "true"),
    *("false", "null", "latency_ms", "policy", "policies", "stream", "header", "verdict", "nope"),
    *("500", "-1", "0.5", "1e3", "2s", "64kb", "5x", '"a"', "'a'", '"block"', '"(?=a)"', '"'),
    *("[1, 2]", '["a"]', "policy == 'a'", "latency_ms>500", "&&", "\\", "é", "\ud800", "\n"),
)
filter_texts = st.one_of(st.text(), st.lists(st.sampled_from(SPELLINGS), max_size=12).map(" ".join))


def outcome(text: str) -> Filter | FilterError:
    try:
        return parse_filter(text, EVENT)
    except FilterError as error:
        return error


@given(filter_texts)
@example("not " * 40 + "stream")
@example("(" * 3000)
@example("stream or " * 900 + "stream")
def test_any_text_is_a_filter_or_a_filter_error_with_a_place_in_it(text: str) -> None:
    result = outcome(text)
    if isinstance(result, FilterError):
        check_error(text, result)


def check_error(text: str, error: FilterError) -> None:
    assert 0 <= error.start <= error.end <= len(text)
    assert error.code in REASONS
    assert error.hint
    assert "{" not in error.message


def spans_of(tree: Filter) -> list[Span]:
    match tree:
        case Not(inner):
            return [tree.span, *spans_of(inner)]
        case And(parts) | Or(parts):
            return [tree.span, *(span for part in parts for span in spans_of(part))]
        case Exists(field) | Comparison(field):
            return [tree.span, field.span]
        case Always():
            return [tree.span]


@given(filter_texts)
def test_every_place_lies_in_the_text_and_inside_the_whole(text: str) -> None:
    result = outcome(text)
    if not isinstance(result, FilterError):
        check_spans(text, result)


def check_spans(text: str, tree: Filter) -> None:
    whole, *inner = spans_of(tree)
    assert 0 <= whole.start < whole.end <= len(text)
    assert all(whole.start <= span.start < span.end <= whole.end for span in inner)


@given(filters())
def test_a_printed_filter_reads_as_the_same_filter(tree: Filter) -> None:
    check_round_trip(tree, show(tree))


def check_round_trip(tree: Filter, text: str) -> None:
    read = parse_filter(text, SMALL)
    assert read == tree
    assert show(read) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example('\\"')
@example("\\")
def test_every_text_can_be_written_as_a_constant(value: str) -> None:
    form = REQUEST.entries[1].form
    tree = parse_filter('request.model == "a"', REQUEST)
    assert isinstance(tree, Comparison)
    written = Comparison(tree.field, tree.operator, value)
    assert form == tree.field.form
    assert parse_filter(show(written), REQUEST) == written


@given(
    st.integers(-(10**25) + 1, 10**25 - 1)
    | st.from_regex(r"-?[0-9]{1,15}\.[0-9]{1,15}", fullmatch=True)
)
def test_every_number_keeps_its_value(number: int | str) -> None:
    tree = parse_filter(f"request.temperature == {number}", REQUEST)
    assert isinstance(tree, Comparison)
    assert tree.value == (number if isinstance(number, int) else float(number))
    assert parse_filter(show(tree), REQUEST) == tree


@given(filters(), filters())
def test_the_json_of_different_filters_differs(first: Filter, second: Filter) -> None:
    check_json(first, second, acting_json(first), acting_json(second))


def acting_json(tree: Filter) -> bytes:
    return canonical_json(tree, descriptive_too=False)


def check_json(first: Filter, second: Filter, one: bytes, other: bytes) -> None:
    assert (one == other) is (first == second)


@given(filters())
def test_a_compiled_filter_is_true_where_the_reference_says_so(tree: Filter) -> None:
    check_evaluation(tree, tree)


def check_evaluation(tree: Filter, compiled: Filter) -> None:
    test = compile_filter(compiled)
    assert all(test(facts) is holds(tree, facts) for facts in every_facts(tree))


@given(filters())
def test_no_comparison_is_true_of_a_field_that_is_not_there(tree: Filter) -> None:
    for atom in atoms(tree):
        check_absence(compile_filter(atom), compile_filter(Not(atom)))


def check_absence(test: Predicate, opposite: Predicate) -> None:
    assert not test(FilterFacts({}))
    assert opposite(FilterFacts({}))


# ---- Tests of the tests: bugs that the laws above must notice


def test_the_law_notices_a_printer_that_forgets_parentheses() -> None:
    tree = parse_filter("truth and (whole == 1 or whole == 2)", SMALL)
    with pytest.raises(AssertionError):
        check_round_trip(tree, re.sub(r"[()]", "", show(tree)))


def test_the_law_notices_a_not_that_is_pushed_inwards() -> None:
    tree = parse_filter("not whole == 1", SMALL)
    with pytest.raises(AssertionError):
        check_evaluation(tree, with_not_pushed_inwards(tree))


def test_the_law_notices_an_order_that_takes_null_for_a_number() -> None:
    tree = parse_filter("whole < 1", SMALL)
    with pytest.raises(AssertionError):
        check_evaluation(tree, parse_filter("whole < 1 or whole == null", SMALL))


def test_the_law_notices_a_place_behind_the_end() -> None:
    with pytest.raises(AssertionError):
        check_error("stream", refusal("missing_and", 0, 7))


def test_the_law_notices_a_part_that_stands_outside_the_whole() -> None:
    tree = parse_filter("stream or policy == 'a'", EVENT)
    with pytest.raises(AssertionError):
        check_spans("stream or policy == 'a'", attrs.evolve(tree, span=Span(0, 6)))


def test_the_law_notices_json_that_does_not_tell_and_from_or() -> None:
    both = parse_filter("truth and text == 'a'", SMALL)
    either = parse_filter("truth or text == 'a'", SMALL)
    blind = acting_json(both).replace(b"all_of", b"parts")
    with pytest.raises(AssertionError):
        check_json(both, either, blind, acting_json(either).replace(b"any_of", b"parts"))


def test_the_law_notices_an_inequality_that_absence_meets() -> None:
    equal = parse_filter("whole == 1", SMALL)
    with pytest.raises(AssertionError):
        check_absence(compile_filter(Not(equal)), compile_filter(equal))
