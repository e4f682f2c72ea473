"""What `kt config compile` shows besides the plan."""

import json
import sys
from pathlib import Path

import attrs
import pytest

from kt.cli import run
from kt.cli.views import STAGES, VIEWS
from kt.compiler.lower import lower

CONFIG = "policies: {chain: [pii-detector, prompt-injection]}\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "kt.yaml"
    path.write_text(CONFIG)
    return str(path)


@pytest.mark.parametrize(
    ("flags", "begins"),
    [
        ([], "PLAN "),
        (["--trace"], "blocking_first input\n"),
        (["--failures"], "FAILURES "),
        (["--metrics"], "metrics, "),
        (["--coverage"], "coverage of "),
        (["--patterns"], "PATTERNS "),
        (["--explain"], "PLAN "),
        (["--explain", "--failures"], "PLAN "),
        (["--format", "mermaid"], "flowchart TD\n"),
        (["--trace", "--failures"], "blocking_first input\n"),
    ],
)
def test_a_flag_shows_what_it_says(
    config: str, flags: list[str], begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "compile", config, *flags]) == 0
    assert capsys.readouterr().out.startswith(begins)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_shown_as_data(
    config: str, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "compile", config, "--stage", stage]) == 0
    data = json.loads(capsys.readouterr().out)
    assert isinstance(data, dict)
    assert "pii-detector" in json.dumps(data)


def request_file(directory: Path) -> str:
    """A request to analyze."""
    path = directory / "request.json"
    path.write_text(json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}))
    return str(path)


ALONE = (["--stage", "plan"], ["--format", "mermaid"])
TOGETHER = (*([f"--{name}"] for name in VIEWS), ["--analyze"])


@pytest.mark.parametrize("some", range(2 ** len(TOGETHER)))
def test_any_views_are_one_document(
    some: int, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every combination, as text and as JSON."""
    chosen = [one[0] for at, one in enumerate(TOGETHER) if some >> at & 1]
    flags = [*chosen, request_file(tmp_path)] if "--analyze" in chosen else chosen
    assert run(["config", "compile", config, *flags]) == 0
    assert capsys.readouterr().out
    assert run(["config", "compile", config, "--json", *flags]) == 0
    document = json.loads(capsys.readouterr().out)
    names = {one.removeprefix("--") for one in chosen}
    assert document.keys() == {"format", "digest"} | (names or {"plan"})
    assert document["format"] == 1


@pytest.mark.parametrize("alone", ALONE, ids=" ".join)
@pytest.mark.parametrize("other", [*TOGETHER, *ALONE], ids=" ".join)
def test_different_outputs_exclude_each_other(
    alone: list[str],
    other: list[str],
    config: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if alone == other:
        return
    argument = [request_file(tmp_path)] if other == ["--analyze"] else []
    assert run(["config", "compile", config, *alone, *other, *argument]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "are different outputs" in printed.err
    assert "hint: " in printed.err


def test_a_picture_has_no_json(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "compile", config, "--json", "--format", "mermaid"]) == 2
    assert "--json and --format mermaid" in capsys.readouterr().err


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_can_be_a_document(
    config: str, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "compile", config, "--stage", stage, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"format", "digest", stage}


def test_a_configuration_is_not_overwritten_by_its_plan(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "compile", config, "-o", config]) == 2
    assert Path(config).read_text() == CONFIG
    assert "would overwrite" in capsys.readouterr().err


def test_a_proof_is_told_and_a_plan_is_shown(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "compile", config, "--verify", "20"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("PLAN ")
    assert "VERIFIED on 20" in printed.err


def test_a_proof_without_hypothesis_says_what_to_install(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "kt.verify", raising=False)
    monkeypatch.delitem(sys.modules, "kt.verify.law", raising=False)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    assert run(["config", "compile", config, "--verify", "20"]) == 2
    assert "kt[testing]" in capsys.readouterr().err


def test_a_counterexample_is_shown_and_fails(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the plan loses its input on the way from the optimizer."""
    monkeypatch.setattr(
        "kt.compiler.lower.lower", lambda program: attrs.evolve(lower(program), input=())
    )
    written = Path(config).with_suffix(".json")
    with pytest.raises(SystemExit) as ended:
        run(["config", "compile", config, "--verify", "20", "-o", str(written)])
    assert not written.exists()
    assert ended.value.code == 1
    shown = capsys.readouterr().err
    assert "DIFFERS in the input phase" in shown
    assert "  text: " in shown


def test_a_profile_orders_the_plan(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(CONFIG + "policy: {pii-detector: {action: block}}\n")
    log = tmp_path / "events.jsonl"
    checks = [("pii-detector", "allow", 9.0), ("prompt-injection", "block", 0.1)]
    policies = [
        {"name": name, "phase": "input", "verdict": verdict, "latency_ms": latency}
        for name, verdict, latency in checks
    ]
    log.write_text(json.dumps({"policies": policies}) + "\nnonsense\n")
    assert run(["config", "compile", config, "--profile", str(log)]) == 0
    printed = capsys.readouterr()
    assert "1 block  prompt-injection" in printed.out
    assert "moved by cheapest_first: was 2" in printed.out
    assert f"{log}:2: not used: not JSON" in printed.err


def test_a_profile_that_is_not_there_is_a_mistake_of_usage(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "compile", config, "--profile", "missing.jsonl"]) == 2
    assert "cannot read missing.jsonl" in capsys.readouterr().err


def test_many_unusable_lines_are_counted(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text("x\n" * 9)
    assert run(["config", "compile", config, "--profile", str(log)]) == 0
    assert "and 4 more lines" in capsys.readouterr().err
