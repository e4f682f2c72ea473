"""Conditions, levels and lists of one: read strictly, kept with their places."""

import pytest

from kt.compiler.compounds import (
    read_condition,
    read_level,
    read_names,
    read_share,
    read_when,
)
from kt.compiler.leaves import Rejected
from kt.compiler.reader import read
from kt.compiler.tree import Node
from kt.diagnostics import Report
from kt.source import Source


def value_of(text: str) -> tuple[Report, Node]:
    report = Report(Source("kt.yaml", f"a: {text}"))
    tree = read(report.source, report)
    entry = None if tree is None else tree.get("a")
    assert entry is not None
    return report, entry.value


def test_a_when_compares_path_headers_and_models_in_a_fixed_order() -> None:
    report, node = value_of("{path: /v1, model: [a, b], header: {X-Team: ops}}")
    when = read_when(report, node)
    assert [(pair.name, pair.values) for pair in when.pairs] == [
        ('header["x-team"]', ("ops",)),
        ("model", ("a", "b")),
        ("path", ("/v1",)),
    ]
    spelled = [report.source.text[pair.span.start : pair.span.end] for pair in when.pairs]
    assert spelled == ["X-Team", "model", "path"]


def test_a_condition_keeps_its_suffixes_and_values() -> None:
    condition = read_condition(*value_of("{max_tokens_gt: 2000, tier: [a, b], on: true}"))
    assert [(pair.name, pair.values) for pair in condition.pairs] == [
        ("max_tokens_gt", (2000,)),
        ("on", (True,)),
        ("tier", ("a", "b")),
    ]


def test_conditions_that_mean_the_same_are_equal_wherever_they_stand() -> None:
    assert read_condition(*value_of("{a: 1, b: 2}")) == read_condition(*value_of("{b: 2,  a: 1}"))


def test_one_word_is_a_list_of_one() -> None:
    assert read_names(*value_of("x")) == read_names(*value_of("[x]"))


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), ("7", 7), ("high", "high")])
def test_a_level_is_a_number_or_a_word(text: str, value: str | float) -> None:
    assert read_level(*value_of(text)).value == value


def test_a_member_of_a_group_may_be_an_id() -> None:
    share = read_share(*value_of("openai"))
    assert share.id is not None
    assert share.id.value == "openai"


@pytest.mark.parametrize(
    ("reader", "text", "names"),
    [
        (read_when, "7", ["wrong_type"]),
        (read_when, "{path: 7, modle: a}", ["wrong_type", "unknown_key"]),
        (read_when, "{header: {a: 1}}", ["wrong_type"]),
        (read_when, "{model: [1]}", ["wrong_type"]),
        (read_condition, "[a]", ["wrong_type"]),
        (read_condition, "{a: ~}", ["wrong_type"]),
        (read_condition, "{a: [[1]]}", ["wrong_type"]),
        (read_level, "~", ["wrong_type"]),
        (read_level, "false", ["wrong_type"]),
        (read_names, "{a: b}", ["wrong_type"]),
    ],
)
def test_what_is_none_of_these_is_refused(reader: object, text: str, names: list[str]) -> None:
    report, node = value_of(text)
    assert callable(reader)
    with pytest.raises(Rejected):
        reader(report, node)
    assert [one.name for one in report.errors] == names
