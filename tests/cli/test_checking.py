"""Checking files one after the other."""

import contextlib
import io
from pathlib import Path

import pytest

from kt.cli.checking import check_file, check_files, read_named, say
from kt.cli.reports.findings import UNREADABLE

GOOD = "gateway: {}\n"


def test_every_file_is_checked_once_whatever_becomes_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(GOOD)
    Path("b.yaml").write_text("gateway: {zzz: 1}\n")
    reports = list(check_files(["missing.yaml", "*.json", "b.yaml", "*.yaml", "a.yaml"]))
    assert [one.file for one in reports] == ["missing.yaml", "*.json", "b.yaml", "a.yaml"]
    assert [one.is_readable for one in reports] == [False, False, True, True]
    assert [one.is_valid for one in reports] == [False, False, False, True]


def test_a_file_that_cannot_be_read_has_one_error_without_a_place(tmp_path: Path) -> None:
    (error,) = check_file(str(tmp_path / "missing.yaml")).errors
    assert (error.code, error.place) == (UNREADABLE, None)
    assert error.message.startswith("cannot read ")


def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    path = str(tmp_path) + "/\udcff\x1b[31m.yaml"
    Path(path).write_text("gateway: {zzz: 1}\n")
    report = check_file(path)
    assert report.file.endswith("/\N{REPLACEMENT CHARACTER}\x1b[31m.yaml")
    assert "\x1b" not in report.explained + read_named(path).name
    report.explained.encode()


def test_a_stream_without_an_encoding_is_printed_to() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as written:
        say("caf\N{LATIN SMALL LETTER E WITH ACUTE}")
    assert written.getvalue() == "caf\N{LATIN SMALL LETTER E WITH ACUTE}\n"
