"""The report as workflow commands, and the law that a finding is exactly one command."""

import re
from collections.abc import Callable, Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.cli.reports.findings import FileReport, Finding, Place, unreadable
from kt.cli.reports.github import workflow_commands

HERE = Place(line=5, column=14, end_line=5, end_column=20)
FORM = re.compile(r"::(error|warning) file=([^,:]*)(,line=\d+,col=\d+)?,title=([^,:]*)::(.*)")
ESCAPES = (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


def report(file: str, message: str, hint: str | None = None) -> FileReport:
    found = Finding(code="KT202", name="unknown_key", message=message, hint=hint, place=HERE)
    return FileReport(file=file, explained="", errors=(found,), warnings=(found,))


def test_a_finding_is_a_command_with_its_place_and_code() -> None:
    error, warning = workflow_commands([report("a.yaml", "unknown key 'x'", "y")]).split("\n")
    expected = "file=a.yaml,line=5,col=14,title=KT202::unknown key 'x'%0Ahint: y"
    assert (error, warning) == (f"::error {expected}", f"::warning {expected}")


def test_nothing_found_is_nothing_said() -> None:
    assert workflow_commands([]) == ""


def test_what_was_not_kept_is_counted() -> None:
    many = attrs.evolve(report("a.yaml", "m"), more_errors=7)
    (counted,) = [one for one in workflow_commands([many]).split("\n") if "notice" in one]
    assert counted == "::notice file=a.yaml::7 more errors, 0 more warnings"


def test_a_file_without_a_text_has_no_place() -> None:
    assert workflow_commands([unreadable("a,b:c.yaml", "m", "h")]) == (
        "::error file=a%2Cb%3Ac.yaml,title=unreadable::m%0Ahint: h"
    )


def read_back(text: str) -> str:
    for escape, character in ESCAPES:
        text = text.replace(escape, character)
    return text


def check_commands(forms: Callable[[Sequence[FileReport]], str], file: str, message: str) -> None:
    """Demand one command per finding, which says what the finding says."""
    lines = re.split("\r\n|\r|\n", forms([report(file, message)]))
    assert len(lines) == 2
    for line in lines:
        match = FORM.fullmatch(line)
        assert match is not None
        assert (read_back(match[2]), read_back(match[5])) == (file, message)


@given(st.text("ab%:,\r\n0ADC2 ", max_size=9), st.text("ab%:,\r\n0AD25 ", max_size=9))
def test_a_finding_is_one_command_whatever_it_says(file: str, message: str) -> None:
    check_commands(workflow_commands, file, message)


@pytest.mark.parametrize("escape", ["%25", "%0D", "%0A", "%3A", "%2C"])
def test_the_law_of_commands_finds_a_missing_escape(escape: str) -> None:
    character = dict(ESCAPES)[escape]

    def planted(reports: Sequence[FileReport]) -> str:
        return workflow_commands(reports).replace(escape, character)

    file = f"a{character}0A"
    check_commands(workflow_commands, file, file)
    with pytest.raises(AssertionError):
        check_commands(planted, file, file)
