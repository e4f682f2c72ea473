"""What this repository offers to others' hooks: it exists, and does what it says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kt.cli import run

ROOT = Path(__file__).parents[1]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def kt(arguments: list[str]) -> Any:
    """Run a command line as the console script does."""
    try:
        return run(arguments)
    except SystemExit as left:
        return left.code


def test_the_hook_checks_the_files_that_it_is_given(tmp_path: Path) -> None:
    name, *arguments = HOOK["entry"].split()
    assert name == "kt"
    path = tmp_path / "policy-config.yaml"
    path.write_text("gateway: {}\n")
    assert kt([*arguments, str(path)]) == 0
    assert kt([*arguments, "--strict", str(path)]) == 0
    path.write_text("gateway: {zzz: 1}\n")
    assert kt([*arguments, str(path)]) == 1


@pytest.mark.parametrize(
    ("path", "is_checked"),
    [
        ("policy-config.yaml", True),
        ("a/policy-config.staging.yml", True),
        ("my-policy-config.yaml", False),
        ("policy-config.yaml.md", False),
    ],
)
def test_the_hook_is_for_configurations_alone(path: str, is_checked: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) is is_checked


def test_the_documented_hook_is_the_one_that_is_offered() -> None:
    assert f"- id: {HOOK['id']}\n" in (ROOT / "docs" / "ci.md").read_text()
    assert HOOK["language"] == "python"
