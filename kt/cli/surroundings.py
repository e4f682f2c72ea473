"""The environment of a command: state directory, secrets, the admin token.

The only room beside the commands that reads environment variables. Secrets leave it in one mapping
that is handed to the runtime and never printed.
"""

import os
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from kt.errors import UsageError
from kt.plan import ConsumerGroup, SecretFrom, SecretRef, Target
from kt.runtime.identity import new_token

MAX_SECRET = 64 * 1024


def state_directory() -> Path:
    """Where the audit log, secrets and the admin token are kept between runs."""
    chosen = os.environ.get("KEEPTRUSTS_STATE_DIR")
    if chosen:
        return Path(chosen)
    state_home = os.environ.get("XDG_STATE_HOME")
    return (Path(state_home) if state_home else Path.home() / ".local" / "state") / "keeptrusts"


def read_secrets(targets: Iterable[Target]) -> dict[str, str]:
    """Target id -> key, for every target whose key is there."""
    named = ((target.id, target.secret) for target in targets if target.secret is not None)
    read = ((name, _read(secret)) for name, secret in named)
    return {name: value for name, value in read if value}


def read_client_keys(groups: Iterable[ConsumerGroup]) -> dict[str, tuple[str, ...]]:
    """Consumer group -> those of its keys that are there."""
    read = {group.name: tuple(_read(secret) for secret in group.secrets) for group in groups}
    return {name: tuple(key for key in keys if key) for name, keys in read.items()}


def read_signing_keys(references: Iterable[SecretRef]) -> dict[str, str]:
    """Name of a secret -> key, for every key that is there."""
    read = {one.name: _read(one) for one in references}
    return {name: value for name, value in read.items() if value}


def admin_token(host: str) -> str | None:
    """The token of the admin paths, created on first use; None where the listener is loopback."""
    if _is_loopback(host):
        return None
    path = state_directory() / "admin-token"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_token() + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        hint = "set KEEPTRUSTS_STATE_DIR to a directory that can be written"
        raise UsageError(f"cannot keep the admin token: {error.strerror}", hint) from None
    try:
        token = path.read_text().strip()
    except OSError as error:
        hint = f"make {path} readable, or delete it to get a new one"
        raise UsageError(f"cannot read the admin token: {error.strerror}", hint) from None
    if not token:
        raise UsageError("the admin token is empty", f"delete {path} to get a new one")
    return token


def _read(secret: SecretRef) -> str | None:
    value = os.environ.get(secret.name)
    if value is None and secret.source is SecretFrom.STORE:
        directory = os.environ.get("KEEPTRUSTS_SECRETS_DIR")
        path = (Path(directory) if directory else state_directory() / "secrets") / secret.name
        try:
            value = path.read_text()[:MAX_SECRET]
        except (OSError, UnicodeDecodeError):
            return None
    return value.strip() if value else None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
