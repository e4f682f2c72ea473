"""`kt gateway run` up to the point where it serves: surroundings, warnings, refusals."""

from pathlib import Path

import attrs
import pytest

from kt.cli import run
from kt.cli.compiling import CONCURRENCY_VARIABLE
from kt.cli.gateway import options, replaced_targets
from kt.compiler import Setting, Settings, Upstream
from kt.plan import Plan, SecretFrom, SecretRef
from kt.policy import OnTrouble
from tests.support.plans import plan, target

CONFIG = """\
pack: {name: a, version: 1.0.0, enabled: true}
policies: {chain: [prompt-injection, audit-logger]}
"""
TARGET = "providers: {targets: [{id: t, base_url: 'http://127.0.0.1:1'}]}\n"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPTRUSTS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("KEY_A", raising=False)
    monkeypatch.delenv("KEY_B", raising=False)


def two_keyed() -> Plan:
    """A plan of two targets with keys and one without."""
    keyed = [
        attrs.evolve(target(name), secret=SecretRef(source=SecretFrom.ENV, name=f"KEY_{name}"))
        for name in ("A", "B")
    ]
    return plan(targets=(*keyed, target("free")))


def gateway(*arguments: str) -> int:
    """Run `kt gateway run` as the console script does."""
    try:
        return run(["gateway", "run", *arguments])
    except SystemExit as left:
        return int(left.code or 0)


def config(directory: Path, text: str) -> str:
    """A configuration file."""
    path = directory / "policy-config.yaml"
    path.write_text(text)
    return str(path)


def test_a_target_whose_key_is_missing_is_never_asked_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("KEY_A", "sk-abc")
    made = options(two_keyed(), "127.0.0.1", 0, Settings())
    assert (dict(made.secrets), set(made.unavailable)) == ({"A": "sk-abc"}, {"B"})
    warned = capsys.readouterr().err
    assert "KEY_B is not set: provider 'B'" in warned
    assert "KEY_A" not in warned
    assert "sk-abc" not in warned + repr(made)


def test_a_stand_in_is_asked_without_a_key(capsys: Capture) -> None:
    settings = Settings(upstreams=(Upstream("http://127.0.0.1:9", "A"),))
    made = options(two_keyed(), "127.0.0.1", 0, settings)
    assert made.unavailable == {"B"}


@pytest.mark.parametrize(
    ("names", "replaced"), [((), set()), (("A",), {"A"}), ((None,), {"A", "B", "free"})]
)
def test_an_upstream_without_a_name_stands_in_for_all(
    names: tuple[str | None, ...], replaced: set[str]
) -> None:
    settings = Settings(upstreams=tuple(Upstream("http://127.0.0.1:9", name) for name in names))
    assert replaced_targets(two_keyed(), settings) == replaced


def test_only_a_listener_for_others_has_an_admin_token(tmp_path: Path) -> None:
    assert options(plan(), "127.0.0.1", 0, Settings()).admin_token is None
    token = options(plan(), "0.0.0.0", 0, Settings()).admin_token
    assert token is not None
    assert (tmp_path / "state" / "admin-token").read_text().strip() == token
    assert token not in repr(options(plan(), "0.0.0.0", 0, Settings()))


def test_a_configuration_that_does_not_compile_exits_with_one(
    tmp_path: Path, capsys: Capture
) -> None:
    path = config(tmp_path, CONFIG.replace("chain", "chian"))
    assert gateway("--policy-config", path) == 1
    assert f"{path}:2:" in capsys.readouterr().err


def test_what_cannot_be_run_exits_with_two_and_a_hint(tmp_path: Path, capsys: Capture) -> None:
    good = config(tmp_path, CONFIG + TARGET)
    (tmp_path / "off.yaml").write_text((CONFIG + TARGET).replace("true", "false"))
    (tmp_path / "bare.yaml").write_text(CONFIG)
    for arguments in (
        ("--policy-config", str(tmp_path / "none.yaml")),
        ("--policy-config", str(tmp_path / "off.yaml")),
        ("--policy-config", str(tmp_path / "bare.yaml"), "--listen", "127.0.0.1:0"),
        ("--policy-config", good, "--listen", "127.0.0.1:99999"),
        ("--policy-config", good, "--listen", "203.0.113.1:1"),
    ):
        assert gateway(*arguments) == 2, arguments
        seen = capsys.readouterr().err
        assert "error: " in seen
        assert "hint: " in seen
        assert "Traceback" not in seen


def test_a_state_directory_that_cannot_be_written_exits_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("KEEPTRUSTS_STATE_DIR", "/dev/null/state")
    good = config(tmp_path, CONFIG + TARGET)
    for host in ("127.0.0.1", "0.0.0.0"):
        assert gateway("--policy-config", good, "--listen", f"{host}:0") == 2
        assert "KEEPTRUSTS_STATE_DIR" in capsys.readouterr().err


def compiled(directory: Path, text: str, *flags: str) -> Path:
    """The plan file of a configuration."""
    path = directory / "plan.json"
    assert run(["config", "compile", config(directory, text), "-o", str(path), *flags]) == 0
    return path


FLAGS = {
    "fail_mode": ("--fail-mode", "allow"),
    "max_concurrency": ("--max-concurrency", "3"),
    "upstreams": ("--upstream", "http://127.0.0.1:2"),
}
"""Field of Settings -> the flag that sets it."""


def test_exactly_one_of_configuration_and_plan_is_run(tmp_path: Path, capsys: Capture) -> None:
    path = compiled(tmp_path, CONFIG + TARGET)
    both = ("--plan", str(path), "--policy-config", str(tmp_path / "policy-config.yaml"))
    for arguments, said in ((both, "are two plans"), ((), "nothing to run")):
        assert gateway(*arguments) == 2
        seen = capsys.readouterr().err
        assert said in seen
        assert "hint: " in seen


@pytest.mark.parametrize("flag", FLAGS.values(), ids=list(FLAGS))
def test_what_would_change_a_plan_is_refused(
    flag: tuple[str, str], tmp_path: Path, capsys: Capture
) -> None:
    path = compiled(tmp_path, CONFIG + TARGET)
    assert gateway("--plan", str(path), *flag) == 2
    assert f"{flag[0]} would change the plan" in capsys.readouterr().err


def test_every_setting_has_its_refusal() -> None:
    assert {field.name for field in attrs.fields(Settings)} == {*FLAGS, "profile", "environment"}
    assert Settings().given == ()
    everything = Settings(
        max_concurrency=Setting(1, "VARIABLE"),
        upstreams=(Upstream("http://x"),),
        fail_mode=OnTrouble.ALLOW,
    )
    assert everything.given == ("--fail-mode", "VARIABLE", "--upstream")


def test_a_variable_that_would_change_a_plan_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    path = compiled(tmp_path, CONFIG + TARGET)
    monkeypatch.setenv(CONCURRENCY_VARIABLE, "5")
    assert gateway("--plan", str(path)) == 2
    assert f"{CONCURRENCY_VARIABLE} would change the plan" in capsys.readouterr().err


def test_a_plan_that_cannot_be_run_exits_with_two_and_a_hint(
    tmp_path: Path, capsys: Capture
) -> None:
    good = compiled(tmp_path, CONFIG + TARGET).read_text()
    files = {
        "bare": compiled(tmp_path, CONFIG).read_text(),
        "off": compiled(tmp_path, (CONFIG + TARGET).replace("true", "false")).read_text(),
        "yaml": CONFIG,
        "changed": good.replace('"listen_port":41002', '"listen_port":41003'),
    }
    capsys.readouterr()
    said = {"bare": "no provider", "off": "switched off", "yaml": "not JSON", "changed": "digest"}
    for name, text in files.items():
        path = tmp_path / f"{name}.json"
        path.write_text(text)
        assert gateway("--plan", str(path), "--listen", "127.0.0.1:0") == 2
        seen = capsys.readouterr().err
        assert said[name] in seen
        assert "hint: " in seen
    assert gateway("--plan", str(tmp_path / "none.json")) == 2
    assert "cannot read" in capsys.readouterr().err
