"""`kt config`: what it prints, and its exit codes."""

import io
import json
from pathlib import Path

import pytest

from kt.cli import run
from kt.compiler.reader import MAX_BYTES

GOOD = "pack: {name: a, version: 1.0.0, enabled: true}\npolicies: {chain: [prompt-injection]}\n"
BAD = "pack: {name: a, version: 1.0, enabled: true}\n"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return str(path)


@pytest.fixture
def warned(tmp_path: Path) -> str:
    path = tmp_path / "warned.yaml"
    path.write_text("gateway: {timeouts: {connect: 5}}\n")
    return str(path)


def kt(*arguments: str) -> int:
    """Run a command line as the console script does."""
    try:
        return run(["config", *arguments])
    except SystemExit as left:
        return int(left.code or 0)


def test_a_valid_file_is_named_with_what_it_holds(good: str, capsys: Capture) -> None:
    assert kt("validate", good) == 0
    assert capsys.readouterr() == (f"OK {good}: a@1.0.0, 1 policy, 0 targets\n", "")


def test_an_invalid_file_is_explained_on_stderr(bad: str, capsys: Capture) -> None:
    assert kt("validate", bad) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"{bad}:1:26: KT201 expected a string, found a number\n")
    assert '    hint: quote it: "1.0"\n' in shown.err


def test_warnings_do_not_fail(warned: str, capsys: Capture) -> None:
    assert kt("validate", warned) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("OK ")
    assert "KT603 warning" in shown.err


def test_every_file_is_checked_and_the_worst_decides(good: str, bad: str, capsys: Capture) -> None:
    assert kt("validate", bad, good) == 1
    assert kt("validate", good, f"{good}.missing", bad) == 2
    shown = capsys.readouterr()
    assert shown.out.count("OK ") == 2
    assert "cannot read" in shown.err


def test_standard_input_is_read_for_a_dash(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert kt("validate", "-") == 0
    assert capsys.readouterr().out == "OK -: a@1.0.0, 1 policy, 0 targets\n"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a: \xc3"])
def test_a_file_that_is_not_utf_8_cannot_be_read(
    data: bytes, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(data)
    assert kt("validate", str(path)) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_an_endless_file_is_not_read_to_its_end(capsys: Capture) -> None:
    assert kt("validate", "/dev/zero") == 1
    assert f"KT102 the text is larger than {MAX_BYTES // 2**20}MB" in capsys.readouterr().err


def test_a_directory_stands_for_the_files_below_it(
    good: str, bad: str, tmp_path: Path, capsys: Capture
) -> None:
    assert kt("validate", str(tmp_path)) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(f"OK {good}: ")
    assert shown.err.startswith(f"{bad}:1:26: KT201 ")


def test_a_directory_without_files_is_exit_code_2(tmp_path: Path, capsys: Capture) -> None:
    assert kt("validate", str(tmp_path)) == 2
    assert "there is no *.yaml or *.yml below" in capsys.readouterr().err


def test_a_pattern_that_the_shell_left_alone_is_expanded(
    good: str, bad: str, tmp_path: Path, capsys: Capture
) -> None:
    assert kt("validate", str(tmp_path / "g*.yaml")) == 0
    assert capsys.readouterr().out.startswith(f"OK {good}: ")
    assert kt("validate", str(tmp_path / "zzz*.yaml")) == 2
    assert "nothing matches" in capsys.readouterr().err


def test_strict_lets_warnings_fail(warned: str, capsys: Capture) -> None:
    assert kt("validate", "--strict", warned) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "KT603 warning" in shown.err
    assert f"error: {warned} has 1 warning\n  hint: without --strict" in shown.err


def test_strict_changes_nothing_where_nothing_is_warned_of(good: str, capsys: Capture) -> None:
    assert kt("validate", "--strict", good) == 0
    assert capsys.readouterr() == (f"OK {good}: a@1.0.0, 1 policy, 0 targets\n", "")


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_a_form_for_programs_goes_to_stdout_with_the_same_exit_code(
    form: str, good: str, bad: str, warned: str, capsys: Capture
) -> None:
    assert kt("validate", "--format", form, good, warned) == 0
    assert kt("validate", "--format", form, "--strict", good, warned) == 1
    assert kt("validate", "--format", form, good, bad) == 1
    assert kt("validate", "--format", form, good, bad, f"{good}.missing") == 2
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "KT201" in shown.out
    assert "unreadable" in shown.out or "cannot read" in shown.out


def test_no_form_shows_a_secret(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("providers: [{id: a, provider: openai, api_key: sk-live-1, zzz: sk-live-1}]\n")
    for form in ("text", "json", "github", "sarif"):
        assert kt("validate", "--format", form, str(path)) == 1
    shown = capsys.readouterr()
    assert "KT213" in shown.out + shown.err
    assert "live-1" not in shown.out + shown.err


def test_an_output_that_knows_few_characters_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "caf\N{LATIN SMALL LETTER E WITH ACUTE}.yaml"
    path.write_text(GOOD)
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert kt("validate", str(path)) == 0
    assert b"caf\\xe9.yaml: a@1.0.0" in written.getvalue()


def test_the_schema_is_printed_as_json(capsys: Capture) -> None:
    assert kt("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "policy-config.yaml"


def test_compile_explains_unless_told_otherwise(good: str, capsys: Capture) -> None:
    assert kt("compile", good) == 0
    plain = capsys.readouterr().out
    assert plain.startswith("PLAN a@1.0.0  (format may change; use --json)\n")
    assert kt("compile", good, "--explain") == 0
    assert capsys.readouterr().out == plain


def test_compile_prints_the_same_document_that_it_writes(
    good: str, tmp_path: Path, capsys: Capture
) -> None:
    written = tmp_path / "plan.json"
    assert kt("compile", good, "--json", "-o", str(written)) == 0
    out = capsys.readouterr().out
    assert written.read_text() == out
    assert json.loads(out).keys() == {"format", "digest", "plan"}


def test_writing_alone_prints_nothing(good: str, tmp_path: Path, capsys: Capture) -> None:
    assert kt("compile", good, "-o", str(tmp_path / "plan.json")) == 0
    assert capsys.readouterr() == ("", "")


def test_a_plan_that_cannot_be_written_is_no_traceback(
    good: str, tmp_path: Path, capsys: Capture
) -> None:
    assert kt("compile", good, "-o", str(tmp_path / "missing" / "plan.json")) == 2
    assert "cannot write" in capsys.readouterr().err


def test_compile_shows_what_is_wrong(bad: str, capsys: Capture) -> None:
    assert kt("compile", bad) == 1
    shown = capsys.readouterr()
    assert (shown.out, "KT201" in shown.err) == ("", True)


def test_flags_reach_the_plan_with_their_origin(
    good: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("KEEPTRUSTS_GATEWAY_MAX_CONCURRENCY", "5")
    assert kt("compile", good, "--fail-mode", "allow", "--upstream", "http://x/v1") == 0
    out = capsys.readouterr().out
    assert "on trouble allow" in out
    assert "  upstream  http://x  " in out
    assert "5                      KEEPTRUSTS_GATEWAY_MAX_CONCURRENCY" in out
    assert kt("compile", good, "--max-concurrency", "7") == 0
    assert "7                      --max-concurrency" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--upstream", "b=http://x"),
        ("--upstream", "x"),
        ("--fail-mode", "maybe"),
        ("--max-concurrency", "0"),
        ("--format", "mermaid", "--json"),
        ("--zzz",),
    ],
)
def test_a_wrong_flag_is_a_usage_error(
    arguments: tuple[str, ...], good: str, capsys: Capture
) -> None:
    assert kt("compile", good, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err
