"""What every compiling command shares: reading, the flags that change a plan, failing."""

import io
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kt.cli.compiling import compile_file, read_source, read_upstream, settings_options
from kt.compiler import Settings, Upstream
from kt.compiler.reader import MAX_BYTES
from kt.errors import UsageError
from kt.policy import OnTrouble

GOOD = "pack: {name: a, version: 1.0.0, enabled: true}\npolicies: {chain: [prompt-injection]}\n"


def settings_of(*arguments: str, **environment: str) -> Settings:
    """What a command with these arguments is given."""
    given: list[Settings] = []

    @click.command()
    @settings_options
    def command(settings: Settings) -> None:
        given.append(settings)

    result = CliRunner(env=environment).invoke(command, arguments)
    if result.exception is not None and not given:
        raise result.exception
    return given[0]


def test_without_flags_nothing_is_set() -> None:
    assert settings_of() == Settings()


def test_flags_become_settings() -> None:
    settings = settings_of(
        "--fail-mode", "allow", "--upstream", "http://a", "--upstream", "x=http://b?k=v"
    )
    assert settings.fail_mode is OnTrouble.ALLOW
    assert settings.upstreams == (Upstream("http://a"), Upstream("http://b?k=v", "x"))


def test_the_flag_beats_the_environment_and_each_says_where_it_came_from() -> None:
    variable = "KEEPTRUSTS_GATEWAY_MAX_CONCURRENCY"
    from_environment = settings_of(**{variable: "7"}).max_concurrency
    assert from_environment is not None
    assert (from_environment.value, from_environment.origin) == (7, variable)
    from_flag = settings_of("--max-concurrency", "3", **{variable: "7"}).max_concurrency
    assert from_flag is not None
    assert (from_flag.value, from_flag.origin) == (3, "--max-concurrency")


@pytest.mark.parametrize("value", ["0", "-1", "many", "9" * 20])
def test_a_number_of_requests_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SystemExit):
        settings_of("--max-concurrency", value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a", Upstream("http://a")),
        ("http://a?b=c", Upstream("http://a?b=c")),
        ("t=http://a", Upstream("http://a", "t")),
        ("t=http://a?b=c", Upstream("http://a?b=c", "t")),
    ],
)
def test_an_upstream_may_name_its_target(text: str, expected: Upstream) -> None:
    assert read_upstream(text) == expected


def test_a_source_is_named_like_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("é: 1\n")
    source = read_source(str(path))
    assert (source.name, source.text) == (str(path), "é: 1\n")


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: 1")))
    source = read_source("-")
    assert (source.name, source.text) == ("<stdin>", "a: 1")


def test_what_cannot_be_read_is_a_mistake_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"\xe9")
    for path in (tmp_path, tmp_path / "none.yaml", tmp_path / "latin.yaml"):
        with pytest.raises(UsageError) as refusal:
            read_source(str(path))
        assert str(path) in refusal.value.message
        assert refusal.value.hint


def test_an_endless_file_is_read_up_to_the_limit() -> None:
    assert len(read_source("/dev/zero").text) == MAX_BYTES + 1


def test_a_good_file_compiles_and_warnings_go_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD + "policy: {pii-detector: {action: redact}}\n")
    assert compile_file(path, Settings()).plan.name == "a"
    seen = capsys.readouterr()
    assert seen.out == ""
    assert f"{path}:3:" in seen.err


def test_a_bad_file_is_shown_and_exits_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace("chain", "chian"))
    with pytest.raises(SystemExit) as left:
        compile_file(path, Settings())
    assert left.value.code == 1
    assert "'chain'" in capsys.readouterr().err
