"""Where in the tree a finding stands, and the law that every node is found again."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given

from kt.cli.reports.paths import Steps, show_steps, steps_to
from kt.compiler.reader import read
from kt.compiler.tree import Map, Node, Seq
from kt.diagnostics import Report
from kt.source import NOWHERE, Source, Span
from tests.support.config_strategies import WHOLE, configs, to_block, to_flow


def tree_of(text: str) -> Map:
    source = Source("kt.yaml", text)
    tree = read(source, Report(source))
    assert tree is not None
    return tree


def every_place(node: Node, steps: Steps = ()) -> Iterator[tuple[Steps, Span, Node]]:
    """Every way into a tree, where it ends, and what is there; keys lead to their values."""
    if isinstance(node, Map):
        for entry in node.entries:
            way = (*steps, entry.key.text)
            yield way, entry.key.span, entry.value
            yield from every_place(entry.value, way)
    if isinstance(node, Seq):
        for index, item in enumerate(node.items):
            yield (*steps, index), item.span, item
            yield from every_place(item, (*steps, index))


def check_ways(find: Callable[[Node, Span], Steps], text: str) -> None:
    """Demand that every key and every item is found again by its span."""
    tree = tree_of(text)
    for steps, span, node in every_place(tree):
        assert find(tree, span) == steps
        if node.span.end > node.span.start and isinstance(node, Map | Seq) is False:
            assert find(tree, node.span) == steps


@given(configs())
def test_every_place_is_found_again(data: dict[str, object]) -> None:
    check_ways(steps_to, to_block(data))
    check_ways(steps_to, to_flow(data))


def test_every_place_of_a_whole_configuration_is_found_again() -> None:
    check_ways(steps_to, WHOLE)


def test_the_law_of_ways_finds_a_step_that_is_lost() -> None:
    with pytest.raises(AssertionError):
        check_ways(lambda tree, span: steps_to(tree, span)[1:], "a: {b: 1}")
    with pytest.raises(AssertionError):
        check_ways(lambda tree, span: steps_to(tree, Span(span.end, span.end + 1)), "a: [b, c]")


@pytest.mark.parametrize(
    ("word", "way"),
    [
        ("actions", "policy.pii-detector.actions"),
        ("block", "policy.pii-detector.actions"),
        ("second", "policies.chain[1]"),
        ("{a: 1}", "policies.zzz"),
    ],
)
def test_a_way_is_written_as_people_write_it(word: str, way: str) -> None:
    text = (
        "policies:\n  chain: [first, second]\n  zzz: {a: 1}\n"
        "policy:\n  pii-detector:\n    actions: block\n"
    )
    at = text.index(word)
    assert show_steps(steps_to(tree_of(text), Span(at, at + len(word)))) == way


def test_the_text_as_a_whole_has_no_way() -> None:
    tree = tree_of("a: 1")
    assert steps_to(tree, NOWHERE) == ()
    assert steps_to(tree, tree.span) == ()
    assert show_steps(()) == ""


def test_a_key_that_a_terminal_cannot_show_is_cleaned() -> None:
    assert show_steps(("a\x1b", 0)) == "a\N{REPLACEMENT CHARACTER}[0]"
