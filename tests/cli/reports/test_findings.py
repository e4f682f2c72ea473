"""Findings, free of their text."""

import pytest

from kt.cli.reports.findings import (
    Elsewhere,
    Place,
    encodable,
    file_report,
    place_of,
    printable,
    unreadable,
)
from kt.compiler import compile_source
from kt.diagnostics import Related, Report
from kt.errors import ConfigError
from kt.source import Source, Span

TEXT = "gateway:\n  port: 1\n  listen_port: 2\n"


def test_a_finding_keeps_code_message_hint_and_places() -> None:
    with pytest.raises(ConfigError) as raised:
        compile_source(Source("a.yaml", TEXT))
    report = file_report("a.yaml", raised.value.report, None)
    (found,) = report.errors
    assert (found.code, found.name) == ("KT208", "given_twice")
    assert found.place == Place(line=3, column=3, end_line=3, end_column=14)
    first = Place(line=2, column=3, end_line=2, end_column=7)
    assert found.related == (Elsewhere("first given", first),)
    assert report.explained == raised.value.report.show()
    assert not report.is_valid


def test_a_valid_file_is_summarized_in_declared_order() -> None:
    text = (
        "pack: {name: a, version: 1.2.3, enabled: true}\n"
        "policies: {chain: [pii-detector, audit-logger, prompt-injection]}\n"
        "providers: {targets: [{id: a, provider: openai}]}\n"
    )
    compiled = compile_source(Source("a.yaml", text))
    summary = file_report("a.yaml", compiled.report, compiled.optimized).summary
    assert summary is not None
    assert (summary.name, summary.version, summary.targets) == ("a", "1.2.3", 1)
    assert summary.chain == ("pii-detector", "audit-logger", "prompt-injection")


def test_warnings_and_errors_stay_apart() -> None:
    report = Report(Source("a.yaml", TEXT))
    report.add("no_unit", Span(0, 1), reading="seconds")
    report.add("unknown_key", Span(0, 1), word="a", related=(Related("here", Span(1, 2)),))
    made = file_report("a.yaml", report, None)
    assert [one.code for one in made.errors] == ["KT202"]
    assert [one.code for one in made.warnings] == ["KT603"]


def test_an_end_is_the_first_place_beyond() -> None:
    assert place_of(Source("a", "ab\nc"), Span(1, 4)) == Place(
        line=1, column=2, end_line=2, end_column=2
    )


def test_an_unreadable_file_says_why_without_control_characters() -> None:
    report = unreadable("a\x1b", "cannot read a\x1b", "look")
    assert not report.is_readable
    assert not report.is_valid
    assert "\x1b" not in report.explained
    assert report.file == "a\x1b"


def test_names_become_text() -> None:
    assert encodable("a\udcff") == "a\N{REPLACEMENT CHARACTER}"
    assert printable("a\n") == "a\N{REPLACEMENT CHARACTER}"
