"""Levels and lists of one: read strictly, kept with their places."""

import pytest

from kt.compiler.compounds import (
    read_level,
    read_names,
    read_share,
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
