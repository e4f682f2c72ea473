"""`kt config diff` as a user runs it."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from kt.cli.diff import diff

CONFIG = """\
pack: {{name: a, version: 1.0.0, enabled: true}}
policies: {{chain: [prompt-injection, pii-detector]}}
policy: {{pii-detector: {{entities: [{entities}]}}}}
providers: {{targets: [{{id: x, provider: openai}}]}}
"""


def run(directory: Path, old: str, new: str, *options: str) -> Result:
    """Compare two configurations that look for these entities."""
    for name, entities in (("old.yaml", old), ("new.yaml", new)):
        (directory / name).write_text(CONFIG.format(entities=entities))
    paths = [str(directory / "old.yaml"), str(directory / "new.yaml")]
    return CliRunner().invoke(diff, [*paths, *options])


def test_less_is_looked_for_and_that_is_exit_code_one(tmp_path: Path) -> None:
    result = run(tmp_path, "EMAIL, SSN", "EMAIL")
    assert result.exit_code == 1
    assert "input pii-detector (rule pii.ssn.1): redact before, allow now" in result.output
    assert '"content": "078-05-1120"' in result.output


def test_more_is_looked_for_and_nothing_is_newly_allowed(tmp_path: Path) -> None:
    result = run(tmp_path, "EMAIL", "EMAIL, SSN")
    assert result.exit_code == 0
    assert "nothing newly allowed (proved" in result.output


def test_the_same_is_the_same(tmp_path: Path) -> None:
    result = run(tmp_path, "EMAIL", "EMAIL")
    assert (result.exit_code, result.output) == (
        0,
        "the two mean the same: their plans are equal\n",
    )


def test_the_json_form_says_it_for_programs(tmp_path: Path) -> None:
    result = run(tmp_path, "EMAIL, SSN", "EMAIL", "--json")
    data = json.loads(result.output)
    assert (result.exit_code, data["format"], data["newly_allowed"]["proof"]) == (1, 1, "found")


def test_a_config_that_does_not_compile_is_exit_code_one_with_its_diagnostics(
    tmp_path: Path,
) -> None:
    result = run(tmp_path, "EMAIL", "EMIAL")
    assert result.exit_code == 1
    assert "KT405" in result.output
