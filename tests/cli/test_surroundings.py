"""State directory, secrets and the admin token, as the environment gives them."""

from pathlib import Path

import attrs
import pytest

from kt.cli.surroundings import admin_token, read_secrets, state_directory
from kt.errors import UsageError
from kt.plan import SecretFrom, SecretRef, Target
from tests.support.plans import target


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPTRUSTS_STATE_DIR", str(tmp_path))
    for name in ("KEEPTRUSTS_SECRETS_DIR", "XDG_STATE_HOME", "SOME_KEY"):
        monkeypatch.delenv(name, raising=False)


def keyed(source: SecretFrom) -> Target:
    """A target whose key is called SOME_KEY."""
    return attrs.evolve(target("a"), secret=SecretRef(source=source, name="SOME_KEY"))


def key(source: SecretFrom) -> str | None:
    """The key that is found."""
    return read_secrets([keyed(source), target("none")]).get("a")


# ---- State directory


def test_the_state_directory_is_chosen_or_under_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state_directory() == tmp_path
    monkeypatch.delenv("KEEPTRUSTS_STATE_DIR")
    monkeypatch.setenv("HOME", "/home/ann")
    assert state_directory() == Path("/home/ann/.local/state/keeptrusts")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert state_directory() == Path("/state/keeptrusts")


# ---- Secrets


def test_a_key_comes_from_the_environment_without_the_space_around_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_KEY", " sk-abc\n")
    assert key(SecretFrom.ENV) == "sk-abc"
    assert key(SecretFrom.STORE) == "sk-abc"


@pytest.mark.parametrize("value", ["", " \n"])
def test_an_empty_key_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", value)
    assert not key(SecretFrom.ENV)


def test_a_key_of_the_store_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "SOME_KEY").write_text("sk-file\n")
    assert key(SecretFrom.STORE) == "sk-file"
    assert key(SecretFrom.ENV) is None
    monkeypatch.setenv("KEEPTRUSTS_SECRETS_DIR", str(tmp_path / "elsewhere"))
    assert key(SecretFrom.STORE) is None


def test_a_file_that_is_no_text_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "SOME_KEY").write_bytes(b"\xff\xfe")
    assert key(SecretFrom.STORE) is None


# ---- Admin token


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_a_loopback_listener_needs_no_token(host: str, tmp_path: Path) -> None:
    assert admin_token(host) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "gateway.example"])
def test_any_other_listener_has_a_private_token_that_stays(host: str, tmp_path: Path) -> None:
    token = admin_token(host)
    assert token is not None
    assert len(token) >= 40
    assert (tmp_path / "admin-token").stat().st_mode & 0o777 == 0o600
    assert admin_token(host) == token


def test_an_empty_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "admin-token").write_text("\n")
    with pytest.raises(UsageError) as refusal:
        admin_token("0.0.0.0")
    assert "admin token" in refusal.value.message


def test_a_token_that_cannot_be_kept_or_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "admin-token").mkdir()
    with pytest.raises(UsageError):
        admin_token("0.0.0.0")
    monkeypatch.setenv("KEEPTRUSTS_STATE_DIR", "/dev/null/state")
    with pytest.raises(UsageError):
        admin_token("0.0.0.0")
