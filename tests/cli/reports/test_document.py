"""The report as JSON: its form is stable."""

import json

from kt.cli.reports.document import json_document, place
from kt.cli.reports.findings import Elsewhere, FileReport, Finding, Place, Summary, unreadable

HERE = Place(line=1, column=2, end_line=3, end_column=4)


def test_a_valid_file_says_what_it_comes_to() -> None:
    summary = Summary(name="a", version="1", chain=("x", "y"), targets=3)
    report = FileReport(file="a.yaml", explained="", summary=summary)
    assert json.loads(json_document([report])) == {
        "format": 1,
        "files": [
            {
                "file": "a.yaml",
                "valid": True,
                "pack": {"name": "a", "version": "1"},
                "chain": ["x", "y"],
                "policies": 2,
                "targets": 3,
                "errors": [],
                "warnings": [],
                "more_errors": 0,
                "more_warnings": 0,
            }
        ],
    }


def test_a_finding_has_all_its_keys() -> None:
    found = Finding(
        code="KT202",
        name="unknown_key",
        message="m",
        hint="h",
        place=HERE,
        related=(Elsewhere("first given", HERE),),
    )
    report = FileReport(file="a.yaml", explained="", errors=(found,))
    (file,) = json.loads(json_document([report]))["files"]
    assert (file["valid"], file["pack"], file["chain"]) == (False, None, None)
    at = {"line": 1, "column": 2, "end_line": 3, "end_column": 4}
    assert file["errors"] == [
        {
            "code": "KT202",
            "name": "unknown_key",
            "message": "m",
            "file": "a.yaml",
            **at,
            "hint": "h",
            "related": [{"label": "first given", "file": "a.yaml", **at}],
        }
    ]


def test_where_there_is_no_place_its_keys_are_null() -> None:
    (file,) = json.loads(json_document([unreadable("a.yaml", "m", "h")]))["files"]
    assert file["errors"][0]["line"] is None
    assert place(None) == dict.fromkeys(["line", "column", "end_line", "end_column"])
