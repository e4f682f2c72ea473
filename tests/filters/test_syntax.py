"""Trees: what is the same, and what a tree is made of."""

from kt.filters.parser import parse_filter
from kt.filters.syntax import Always, And, Comparison, all_of, any_of, atoms, fields_of
from kt.filters.vocabulary import REQUEST
from kt.source import Span


def test_positions_are_no_part_of_what_a_filter_says() -> None:
    one = parse_filter("request.stream", REQUEST)
    other = parse_filter("   request.stream", REQUEST)
    assert one == other
    assert one.span != other.span


def test_nothing_at_all_is_a_constant_and_one_thing_is_itself() -> None:
    one = parse_filter("request.stream", REQUEST)
    assert all_of([]) == Always(always=True)
    assert any_of([]) == Always(always=False)
    assert all_of([one]) == any_of([one]) == one


def test_grouping_alone_makes_no_difference() -> None:
    one, two, three = (Always(value) for value in (True, False, True))
    assert all_of([all_of([one, two]), three]) == And((one, two, three))


def test_the_fields_of_a_filter_are_what_it_needs() -> None:
    text = "not (header['X-A'] == 'a' or header['x-a'] == 'b') and exists(user.id) and true"
    labels = {field.label for field in fields_of(parse_filter(text, REQUEST))}
    assert labels == {'header["x-a"]', "user.id"}


def test_atoms_come_from_left_to_right() -> None:
    tree = parse_filter("not exists(user.id) or request.stream", REQUEST)
    first, second = atoms(tree)
    assert first.span == Span(4, 19)
    assert isinstance(second, Comparison)
