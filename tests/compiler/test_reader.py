"""Reading: trees with positions, and everything that YAML would rather guess."""

import pytest
import yaml
from hypothesis import given

from kt.compiler import reader
from kt.compiler.reader import MAX_BYTES, MAX_DEPTH, read
from kt.compiler.tree import Map, Node, Scalar, Seq
from kt.diagnostics import Report
from kt.source import Source
from tests.support.config_strategies import WHOLE, configs, texts, to_block

SAME_MARKS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


def read_text(text: str) -> tuple[Map | None, Report]:
    report = Report(Source("kt.yaml", text))
    return read(report.source, report), report


def tree_of(text: str) -> Map:
    tree, report = read_text(text)
    assert tree is not None, report.show()
    assert report.errors == ()
    return tree


def value_of(text: str) -> Node:
    """The value of the key `a`."""
    entry = tree_of(text).get("a")
    assert entry is not None
    return entry.value


def names_of(text: str) -> list[str]:
    return [found.name for found in read_text(text)[1].errors]


def test_a_block_ends_at_its_last_value_not_at_the_next_key() -> None:
    text = "a:\n  b: 1\n\n\n# comment\nc: 2"
    node = value_of(text)
    assert text[node.span.start : node.span.end] == "b: 1"


def test_a_flow_collection_ends_at_its_bracket() -> None:
    text = "a: [1, 2 ] \nc: 2"
    node = value_of(text)
    assert isinstance(node, Seq)
    assert text[node.span.start : node.span.end] == "[1, 2 ]"


def test_quotes_make_a_string_and_an_empty_value_is_nothing() -> None:
    assert value_of("a: '1'") == Scalar("1", value_of("a: '1'").span, "1")
    assert value_of("a:") == Scalar(None, value_of("a:").span, "")


def test_windows_line_ends_change_no_value() -> None:
    assert tree_of("a: 1\r\nb: [x]\r\n") == tree_of("a: 1\nb: [x]\n")


def test_problems_of_different_kinds_are_reported_together() -> None:
    text = "a: &x 1\na: 2\nb: !t 3\n<<: 1\nc: .nan\n"
    assert names_of(text) == ["anchor", "duplicate_key", "tag", "merge_key", "number_not_finite"]


def test_what_was_found_before_a_syntax_error_is_kept() -> None:
    assert names_of("a: 1\na: 2\nb: [") == ["duplicate_key", "not_yaml"]


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH])
def test_the_depth_is_bounded_exactly(depth: int) -> None:
    text = "a: " + "[" * (depth - 1) + "]" * (depth - 1)
    assert names_of(text) == []
    assert names_of(f"b: [{text[3:]}]") == (["too_deep"] if depth == MAX_DEPTH else [])


def test_the_size_is_bounded_exactly_in_bytes() -> None:
    text = "a: '" + "é" * ((MAX_BYTES - 5) // 2)
    text += "x" * (MAX_BYTES - 1 - len(text.encode())) + "'"
    assert len(text.encode()) == MAX_BYTES
    assert names_of(text) == []
    assert names_of(text + " ") == ["too_large"]


@pytest.mark.parametrize("text", ["", "# comment", "---\n", "~", "null"])
def test_a_text_without_configuration_is_an_error(text: str) -> None:
    assert names_of(text) == ["empty_text"]


@pytest.mark.parametrize("text", ["- a", "word", "'quoted'", "1"])
def test_a_text_that_is_no_map_is_an_error(text: str) -> None:
    assert names_of(text) == ["wrong_type"]


@pytest.mark.parametrize("loader", SAME_MARKS)
def test_an_escape_cannot_make_half_a_character(
    loader: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_LOADER", loader)
    assert names_of(r'a: "\ud800"') in (["not_yaml"], ["forbidden_character"])


def trees_by_both_parsers(text: str) -> list[Map]:
    """What each of PyYAML's parsers makes of a text, where it makes something without errors."""
    trees = []
    for loader in SAME_MARKS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "_LOADER", loader)
            tree, report = read_text(text)
        if tree is not None and not report.errors:
            trees.append(tree)
    return trees


@given(configs().map(to_block))
def test_both_parsers_of_pyyaml_give_the_same_tree(text: str) -> None:
    one, other = trees_by_both_parsers(text)
    assert repr(one) == repr(other)


@given(texts())
def test_where_both_parsers_accept_a_text_they_agree_on_it(text: str) -> None:
    trees = trees_by_both_parsers(text)
    assert len({repr(tree) for tree in trees}) <= 1


def test_the_comparison_of_parsers_sees_positions() -> None:
    (one, _), (other, _) = trees_by_both_parsers(WHOLE), trees_by_both_parsers(" " + "\n" + WHOLE)
    assert one == other
    assert repr(one) != repr(other)
