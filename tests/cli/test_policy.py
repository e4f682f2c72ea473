"""`kt policy lint`: the product's texts, codes and exit codes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kt.cli import run

GOOD = """\
pack: {name: production, version: 0.2.0, enabled: true}
policies: {chain: [prompt-injection, pii-detector, audit-logger]}
policy: {prompt-injection: {}, pii-detector: {}, audit-logger: {}}
"""
BAD = """\
pack: {name: production, version: 0.2.0, enabled: true}
policies: {chain: [prompt-injections, pii-detector]}
policy:
  pii-detector: {actions: block, redaction: {zzz: 1}}
gateway: {zzz: 1}
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good and a bad file, worked beside."""
    monkeypatch.chdir(tmp_path)
    Path("policy-config.yaml").write_text(GOOD)
    Path("bad-config.yaml").write_text(BAD)


def lint(*arguments: str) -> int:
    """Run the command as the console script does."""
    try:
        return run(["policy", "lint", *arguments])
    except SystemExit as left:
        return int(left.code or 0)


def test_a_valid_file_is_told_as_the_product_tells_it(capsys: Capture) -> None:
    assert lint("--file", "policy-config.yaml") == 0
    shown = capsys.readouterr()
    assert shown.out == (
        "OK policy-config.yaml is valid\n"
        "Pack: production (v0.2.0)\n"
        "Chain: prompt-injection -> pii-detector -> audit-logger\n"
        "Policies validated: 3\n"
    )


def test_a_valid_file_has_the_products_json(capsys: Capture) -> None:
    assert lint("--file", "policy-config.yaml", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "format": 1,
        "valid": True,
        "file": "policy-config.yaml",
        "pack": {"name": "production", "version": "0.2.0"},
        "chain": ["prompt-injection", "pii-detector", "audit-logger"],
        "policy_count": 3,
        "warnings": [],
    }


def test_an_invalid_file_is_told_with_the_products_codes(capsys: Capture) -> None:
    assert lint("--file", "bad-config.yaml") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("X bad-config.yaml has 4 errors\n\n")
    assert (
        "error[E001]: Unknown policy kind 'prompt-injections'\n"
        "  --> policies.chain[0] at bad-config.yaml:2:20\n"
        "  help: Did you mean 'prompt-injection'?\n"
    ) in shown.err
    assert (
        "error[E002]: Unknown key 'actions' in policy.pii-detector\n"
        "  --> policy.pii-detector.actions at bad-config.yaml:4:18\n"
        "  help: Did you mean 'action'? Valid keys are: action, "
    ) in shown.err
    assert "error[E002]: Unknown key 'zzz' in policy.pii-detector.redaction\n" in shown.err
    assert "error[KT202]: Unknown key 'zzz'\n  --> gateway.zzz at " in shown.err


def errors(capsys: Capture, file: str) -> list[dict[str, Any]]:
    """The errors of a file in the JSON form."""
    assert lint("--file", file, "--json") == 2
    data = json.loads(capsys.readouterr().out)
    assert (data["valid"], data["file"]) == (False, file)
    listed: list[dict[str, Any]] = data["errors"]
    return listed


def test_an_invalid_file_has_the_products_json(capsys: Capture) -> None:
    found = errors(capsys, "bad-config.yaml")
    assert [(one["code"], one["kt_code"], one["path"]) for one in found] == [
        ("E001", "KT401", "policies.chain[0]"),
        ("E002", "KT202", "policy.pii-detector.actions"),
        ("E002", "KT202", "policy.pii-detector.redaction.zzz"),
        ("KT202", "KT202", "gateway.zzz"),
    ]
    assert found[0]["message"] == "Unknown policy kind 'prompt-injections'"
    assert found[0]["suggestion"] == "Did you mean 'prompt-injection'?"
    assert (found[0]["line"], found[0]["column"]) == (2, 20)


def test_a_kind_without_a_section_is_a_warning(capsys: Capture) -> None:
    Path("bare.yaml").write_text("policies: {chain: [prompt-injection]}\n")
    assert lint("--file", "bare.yaml") == 0
    shown = capsys.readouterr()
    assert "Policies validated: 1\n" in shown.out
    assert shown.err.startswith(
        "warning[E003]: Policy 'prompt-injection' is in chain but has no config block\n"
        "  --> policies.chain[0] at bare.yaml:1:20\n"
    )
    assert lint("--file", "bare.yaml", "--json") == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert (warning["code"], warning["path"]) == ("E003", "policies.chain[0]")


def test_a_file_that_is_no_yaml_has_an_error_without_a_path(capsys: Capture) -> None:
    Path("broken.yaml").write_text("a: [")
    (error,) = errors(capsys, "broken.yaml")
    assert (error["code"], error["path"]) == ("KT101", "")
    assert lint("--file", "broken.yaml") == 2
    assert "  --> broken.yaml:1:5\n" in f"{capsys.readouterr().err}\n"


def test_a_file_that_cannot_be_read_is_invalid_too(capsys: Capture) -> None:
    (error,) = errors(capsys, "missing.yaml")
    assert (error["code"], error["line"]) == ("unreadable", None)
    assert lint("--file", "missing.yaml") == 2
    assert "Cannot read missing.yaml" in capsys.readouterr().err


def test_standard_input_is_read_for_a_dash(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert lint("--file", "-") == 0
    assert capsys.readouterr().out.startswith("OK - is valid\n")


def test_a_file_must_be_named(capsys: Capture) -> None:
    assert lint() == 2
    assert "--file" in capsys.readouterr().err
