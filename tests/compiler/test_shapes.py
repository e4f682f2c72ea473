"""Synonyms and shapes: one canonical tree for every accepted spelling."""

import pytest

from kt.compiler.reader import read
from kt.compiler.shapes import SYNONYMS, canonical, synonyms_in
from kt.compiler.tree import Map, Node, Scalar, Seq
from kt.diagnostics import Report
from kt.source import Source
from tests.support.config_strategies import Data, to_flow


def canonical_of(text: str) -> tuple[Map, Report]:
    report = Report(Source("kt.yaml", text))
    tree = read(report.source, report)
    assert tree is not None
    return canonical(tree, report), report


def plain(node: Node) -> object:
    """The tree as data."""
    match node:
        case Scalar():
            return node.value
        case Seq():
            return [plain(item) for item in node.items]
        case Map():
            return {entry.key.text: plain(entry.value) for entry in node.entries}


def nested(path: str, value: str) -> str:
    """A flow map with a value at a dotted path."""
    for key in reversed(path.split(".")):
        value = f"{{{key}: {value}}}"
    return value


def tree_at(path: str, value: Data | str) -> Data:
    """A map with a value at a dotted path."""
    *outer, last = path.split(".")
    tree: Data = {last: value}
    for key in reversed(outer):
        tree = {key: tree}
    return tree


def merged(one: Data, other: Data) -> Data:
    """Two maps as one, section by section."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = merged(one[key], other[key])
    return both


@pytest.mark.parametrize(("accepted", "place"), SYNONYMS)
def test_every_synonym_ends_at_its_canonical_place(accepted: str, place: str) -> None:
    moved, report = canonical_of(nested(accepted, "5s"))
    data = plain(moved)
    for key in place.split("."):
        assert isinstance(data, dict)
        data = data[key]
    assert data == "5s"
    assert report.errors == ()


@pytest.mark.parametrize(("accepted", "place"), SYNONYMS)
def test_two_spellings_that_differ_are_both_shown(accepted: str, place: str) -> None:
    _, report = canonical_of(to_flow(merged(tree_at(accepted, "5s"), tree_at(place, "6s"))))
    (found,) = report.errors
    assert found.name == "given_twice"
    assert found.related[0].span.start < found.span.start


@pytest.mark.parametrize(("one", "other"), [("5s", "5000ms"), ("64kb", "64KB"), ("7", "7")])
def test_two_spellings_that_say_the_same_are_fine(one: str, other: str) -> None:
    text = f"gateway: {{timeouts: {{connect: {one}, connect_timeout: {other}}}}}"
    moved, report = canonical_of(text)
    assert report.errors == ()
    assert plain(moved) == {"gateway": {"timeouts": {"connect": 7 if one == "7" else one}}}


def test_true_and_one_are_different_values() -> None:
    _, report = canonical_of("gateway: {port: 1, listen_port: true}")
    assert [found.name for found in report.errors] == ["given_twice"]


def test_a_section_of_the_wrong_type_is_left_for_the_next_stage() -> None:
    text = "gateway: {streaming: {buffer_size: 1kb}, buffers: [], timeouts: 3}"
    moved, report = canonical_of(text)
    assert report.errors == ()
    data = plain(moved)
    assert data == {"gateway": {"streaming": {"buffer_size": "1kb"}, "buffers": [], "timeouts": 3}}


def test_both_readings_of_the_lost_indentation_mean_the_same() -> None:
    below = "providers: {targets: [{id: a, provider: {base_url: u, secret_key_ref: {env: K}}}]}"
    beside = "providers: {targets: [{id: a, base_url: u, secret_key_ref: {env: K}}]}"
    assert plain(canonical_of(below)[0]) == plain(canonical_of(beside)[0])


def test_a_base_url_below_and_beside_a_provider_must_agree() -> None:
    _, report = canonical_of("providers: {targets: [{base_url: u, provider: {base-url: v}}]}")
    assert [found.name for found in report.errors] == ["given_twice"]


def test_a_synonym_of_what_is_given_is_not_suggested() -> None:
    assert "policy_timeout" in synonyms_in("gateway.timeouts", {"policy_eval"})
    assert "policy_timeout" not in synonyms_in("gateway.timeouts", {"connect"})
    assert synonyms_in("gateway.streaming", set()) == ("inter_chunk_timeout", "buffer_size")
