"""Both forms of a condition: what they mean, and where each of their mistakes stands."""

import pytest

from kt.compiler.conditions import CREDENTIALS, UNMEASURED, read_when
from kt.compiler.leaves import Rejected
from kt.compiler.model import When
from kt.compiler.reader import read
from kt.compiler.tree import Node
from kt.diagnostics import Report
from kt.filters.parser import parse_filter
from kt.filters.printing import show
from kt.filters.syntax import And, field_of, fields_of
from kt.filters.vocabulary import REQUEST
from kt.source import Source, Span


def value_of(text: str) -> tuple[Report, Node]:
    report = Report(Source("kt.yaml", f"a: {text}"))
    tree = read(report.source, report)
    entry = None if tree is None else tree.get("a")
    assert entry is not None
    return report, entry.value


def read_whole(text: str) -> tuple[Report, When]:
    report, node = value_of(text)
    when = read_when(report, node)
    assert report.errors == ()
    return report, when


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "{path: /v1, model: [a, b]}",
            'request.model in ["a", "b"] and request.path starts_with "/v1"',
        ),
        (
            "{header: {X-Team: ops, a: [b, c]}}",
            'header["a"] in ["b", "c"] and header["x-team"] == "ops"',
        ),
        (
            "{max_tokens_gt: 2000, max-tokens-lte: 3000}",
            "request.max_tokens > 2000 and request.max_tokens <= 3000",
        ),
        ("{text.length_gt: 64KB}", "request.text.length > 65536"),
        (
            "{request.temperature: ~, stream: false}",
            "request.temperature == null and request.stream == false",
        ),
        ("{}", "true"),
        ("{header: {}}", "true"),
        ("request.stream", "request.stream == true"),
        ("'request.model == \"it''s\"'", 'request.model == "it\'s"'),
        (
            "|\n  request.stream\n  and exists(user.id)\n",
            "request.stream == true and exists(user.id)",
        ),
        ('exists(header["authorization"])', 'exists(header["authorization"])'),
    ],
)
def test_a_condition_means(written: str, meant: str) -> None:
    _, when = read_whole(written)
    assert show(when.tree) == meant
    assert when.tree == parse_filter(meant, REQUEST)


def test_the_order_of_keys_means_nothing() -> None:
    _, one = read_whole("{model: a, header: {X: b, y: c}, max_tokens: 1}")
    _, other = read_whole("{max_tokens: 1, header: {y: c, x: b}, model: a}")
    assert one == other


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("7", [("wrong_type", "7")]),
        ("[a]", [("wrong_type", "[a]")]),
        ("''", [("filter.missing_condition", "")]),
        ("{paht: 7, path: 7}", [("filter.unknown_field", "paht"), ("filter.wrong_type", "7")]),
        ("{model_gt: a}", [("filter.wrong_operator", "a")]),
        ("{model: ~}", [("filter.never_null", "~")]),
        ("{model: {}}", [("wrong_type", "{}")]),
        ("{model: [[a]]}", [("wrong_type", "[a]")]),
        ("{header: x}", [("wrong_type", "x")]),
        (
            "{header: {a b: c, d: 1}}",
            [("filter.bad_header_name", "a b"), ("filter.wrong_type", "1")],
        ),
        ("{wallet_balance: {a: b}}", [("wrong_type", "{a: b}")]),
        ("request.modle", [("filter.unknown_field", "request.modle")]),
        ("'a\" == 1'", [("filter.unclosed_text", '" == 1')]),
        ("'request.model == ''a'' x'", [("filter.missing_and", "x")]),
        (r'"request.stream\n or\x20zz"', [("filter.unknown_field", "zz")]),
        (">-\n  request.stream\n  or (zz)\n", [("filter.unknown_field", "zz")]),
        ("request.model matches 'a(?=b)'", [("filter.bad_pattern", "(?=")]),
    ],
)
def test_a_mistake_stands_where_it_was_made(written: str, found: list[tuple[str, str]]) -> None:
    report, node = value_of(written)
    with pytest.raises(Rejected):
        read_when(report, node)
    text = report.source.text
    assert [(one.name, text[one.span.start : one.span.end]) for one in report.errors] == found


def test_a_condition_that_ends_too_early_points_behind_its_end() -> None:
    report, node = value_of("|\n  request.stream and\n\n")
    with pytest.raises(Rejected):
        read_when(report, node)
    (error,) = report.errors
    assert report.source.position(error.span.start) == (2, 21)


def test_every_part_knows_its_place() -> None:
    report, when = read_whole(
        ">-\n  request.stream\n  and not (user.id == 'a'\n  or request.model in ['b'])\n"
    )
    text = report.source.text
    assert isinstance(when.tree, And)
    first, second = when.tree.all_of
    assert text[first.span.start : first.span.end] == "request.stream"
    assert text[second.span.start : second.span.end].startswith("not (user.id")
    names = {text[field.span.start : field.span.end] for field in fields_of(when.tree)}
    assert names == {"request.stream", "user.id", "request.model"}


def test_a_comparison_of_a_map_stands_from_its_key_to_its_value() -> None:
    report, when = read_whole("{header: {X-Team: ops}}")
    span = when.tree.span
    assert report.source.text[span.start : span.end] == "X-Team: ops"


@pytest.mark.parametrize("name", sorted(CREDENTIALS))
def test_no_value_of_a_key_gets_into_a_condition(name: str) -> None:
    for written in (f"{{header: {{{name}: open}}}}", f"header['{name}'] starts_with 'open'"):
        report, node = value_of(written)
        with pytest.raises(Rejected):
            read_when(report, node)
        assert [one.name for one in report.errors] == ["credential"]
        assert "open" not in report.show()


@pytest.mark.parametrize("name", sorted(UNMEASURED))
def test_what_nothing_measures_is_kept_and_said(name: str) -> None:
    report, when = read_whole(f"{{{name}: [a, 1], model: b}}")
    assert [(pair.name, pair.values) for pair in when.unmeasured] == [(name, ("a", 1))]
    assert show(when.tree) == 'request.model == "b"'
    assert [one.name for one in report.warnings] == ["not_enforced"]


def test_too_many_comparisons_are_refused_as_a_whole() -> None:
    keys = ", ".join(f"x{number}: a" for number in range(201))
    report, node = value_of(f"{{header: {{{keys}}}}}")
    with pytest.raises(Rejected):
        read_when(report, node)
    (error,) = report.errors
    assert (error.name, error.span) == ("filter.too_many", node.span)


def test_places_are_of_fields_too() -> None:
    _, when = read_whole("exists(user.id)")
    assert field_of(when.tree).span == Span(10, 17)  # type: ignore[arg-type]
