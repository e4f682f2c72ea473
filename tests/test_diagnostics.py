"""Diagnostics: codes, reports and how they are shown."""

import re
import string

import pytest

from kt.diagnostics import CODES, KEPT, SHOWN, Diagnostic, Related, Report, clean, render
from kt.errors import ConfigError
from kt.filters.refusals import REASONS as FILTER_REASONS
from kt.patterns.refusals import REASONS
from kt.source import NOWHERE, Source, Span
from tests.support.cases import FIXTURES, case_paths, compile_case, load

DOCS = FIXTURES.parent / "docs" / "errors.md"

NEVER_FROM_A_FILE = frozenset(
    {"bad_character", "conflict", "unknown_validator", "validator_unbounded"}
)
"""Refusals that no configuration can bring about: YAML holds no half characters, validators are
named by built-in rules only, `conflict` is what the parser says where nothing else fits (law)."""


FILTERS_NEVER_FROM_A_FILE = frozenset({"unknown_word", "half_character", "bad_condition"})
"""The same: no field of a request has words of its own, and what is no map is refused before."""


def report_of(text: str) -> Report:
    return Report(Source("kt.yaml", text))


def test_every_code_has_its_docs_and_its_case() -> None:
    codes = {code.number for code in CODES.values()}
    documented = set(re.findall(r"^### (KT\d+) ", DOCS.read_text(), re.MULTILINE))
    cases = {path.name.split("_")[0] for path in case_paths("errors")}
    assert codes == documented == cases


def test_no_number_is_given_twice() -> None:
    numbers = [code.number for code in CODES.values()]
    assert sorted(set(numbers)) == sorted(numbers)


def test_the_docs_show_the_messages() -> None:
    docs = DOCS.read_text()
    for code in CODES.values():
        if code.template != "{message}":
            words = {
                name: f"{{{name}}}"
                for _, name, _, _ in string.Formatter().parse(code.template)
                if name
            }
            assert f"### {code.number} {code.template.format(**words)}\n" in docs


def test_every_refusal_of_the_rule_dialect_has_a_code() -> None:
    assert {f"pattern.{name}" for name in REASONS if name not in NEVER_FROM_A_FILE} <= CODES.keys()


def test_every_refusal_of_the_filter_language_has_a_code() -> None:
    rows = {name for name in CODES if name.startswith("filter.")}
    never = FILTERS_NEVER_FROM_A_FILE
    assert rows == {f"filter.{name}" for name in FILTER_REASONS if name not in never}


@pytest.mark.parametrize("path", case_paths("errors"), ids=lambda path: path.name)
def test_a_case_is_about_the_code_that_it_is_named_for(path: object) -> None:
    (case,) = [load(one) for one in case_paths("errors") if one == path]
    _, report = compile_case(case)
    found = {one.code.number for one in (*report.errors, *report.warnings)}
    assert case.path.name.split("_")[0] in found


def test_findings_are_sorted_by_position_errors_first() -> None:
    report = report_of("abcdef")
    report.add("no_unit", Span(0, 1), reading="seconds")
    report.add("unknown_key", Span(4, 5), word="e")
    report.add("unknown_key", Span(2, 3), word="c")
    assert re.findall(r"KT\d+", report.show()) == ["KT202", "KT202", "KT603"]
    assert [found.span.start for found in report.errors] == [2, 4]


def test_twenty_findings_are_shown_and_the_rest_is_counted() -> None:
    report = report_of("a" * 2000)
    for at in range(KEPT + 5):
        report.add("unknown_key", Span(at, at + 1), word="a")
    assert len(report.errors) == KEPT
    assert report.show().count("KT202") == SHOWN
    assert report.show().endswith(f"and {KEPT + 5 - SHOWN} more errors")


def test_warnings_beyond_what_is_kept_are_counted_too() -> None:
    report = report_of("a" * 2000)
    for at in range(KEPT + 5):
        report.add("no_unit", Span(at, at + 1), reading="seconds")
    assert report.show().endswith(f"and {KEPT + 5 - SHOWN} more warnings")


@pytest.mark.parametrize("piece", ["a", "sk-a ", "token ", "://a ", "://", "api_key: "])
def test_an_excerpt_of_a_huge_line_takes_linear_time(piece: str) -> None:
    shown = rendered(piece * 200_000, Span(0, 1))
    assert len(shown[1]) < 120


def test_an_excerpt_shows_names_of_secrets() -> None:
    line = "secret_key_ref: {env: MY_KEY}, api_key_header: x-api-key"
    assert rendered(line, Span(0, 1))[1] == f"    1 | {line}"


def test_one_finding_more_than_shown_is_spoken_of_alone() -> None:
    report = report_of("a" * 100)
    for at in range(SHOWN + 1):
        report.add("no_unit", Span(at, at + 1), reading="seconds")
    assert report.show().endswith("and 1 more warning")


def test_a_stage_without_errors_passes_its_value_on() -> None:
    report = report_of("a: 1")
    report.add("no_unit", Span(3, 4), reading="seconds")
    assert report.checked("value") == "value"


@pytest.mark.parametrize("value", [None, "value"])
def test_a_stage_with_errors_raises_them_all(value: str | None) -> None:
    report = report_of("a: 1")
    report.add("unknown_key", Span(0, 1), word="a")
    with pytest.raises(ConfigError) as raised:
        report.checked(value)
    assert raised.value.report is report


def rendered(text: str, span: Span, name: str = "unknown_key", **more: object) -> list[str]:
    found = Diagnostic(name=name, span=span, message="message", **more)  # type: ignore[arg-type]
    return render(Source("kt.yaml", text), found).split("\n")


def test_a_finding_shows_place_line_caret_hint_and_related() -> None:
    shown = rendered(
        "a: 1\nkey: 2\n",
        Span(5, 8),
        hint="remove it",
        related=(Related("first given", Span(0, 1)),),
    )
    assert shown == [
        "kt.yaml:2:1: KT202 message",
        "    2 | key: 2",
        "      | ^^^",
        "    hint: remove it",
        "    first given at kt.yaml:1:1",
    ]


def test_a_span_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    assert rendered("ab: c\nd: e", Span(1, 9))[1:] == ["    1 | ab: c", "      |  ^^^^"]


def test_an_empty_span_at_the_end_of_the_text_still_has_a_caret() -> None:
    assert rendered("ab", Span(2, 2))[1:] == ["    1 | ab", "      |   ^"]


def test_a_finding_about_the_whole_text_shows_no_line() -> None:
    assert rendered("ab", NOWHERE, "empty_text") == ["kt.yaml:1:1: KT105 message"]


def test_a_long_line_is_shown_around_its_caret() -> None:
    text = "x" * 5000 + "KEY" + "y" * 5000
    _, line, caret = rendered(text, Span(5000, 5003))
    assert len(line) < 120
    assert line[caret.index("^") : caret.rindex("^") + 1] == "KEY"


@pytest.mark.parametrize(
    "line",
    [
        "api_key: sk-live-1",
        "apikey: 'sk-live-1'",
        "x: {password: sk-live-1, y: 2}",
        '"token": sk-live-1',
        "client_secret: sk-live-1",
        "secret-key: sk-live-1",
        "{env: sk-live-1, zzz: 1}",
        "url: https://me:sk-live-1@host/",
        "header: {Authorization: Bearer open-live-1}",
    ],
)
def test_an_excerpt_shows_no_secret_that_stands_on_its_line(line: str) -> None:
    shown = "\n".join(rendered(line, Span(0, 1)))
    assert "live-1" not in shown
    assert "******" in shown


def test_an_excerpt_hides_what_a_finding_about_a_secret_points_at() -> None:
    shown = "\n".join(rendered("env: sk-live-1", Span(5, 14), "bad_secret_name"))
    assert "sk-live-1" not in shown


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = "\n".join(rendered("a\x1b[31m: 1", Span(0, 1)))
    assert "\x1b" not in shown
    assert clean("a\tb\x07") == "a b\N{REPLACEMENT CHARACTER}"


def test_a_long_word_is_cut() -> None:
    assert len(clean("x" * 500)) == 100


def test_a_suggestion_is_near_or_none() -> None:
    report = report_of("a")
    assert report.suggest("conect", ["connect", "request"]) == "did you mean 'connect'?"
    assert report.suggest("zzz", ["connect", "request"]) is None
    assert report.suggest("x" * 200, ["x" * 199]) is None
