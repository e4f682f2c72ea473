"""A running process serves TLS, and takes another certificate without a restart."""

import json
import signal
import ssl
import urllib.request
from pathlib import Path

import pytest
import trustme

from kt.cli import run
from tests.e2e.test_reload import CHAIN, config, until
from tests.support.processes import Process, kt

pytestmark = pytest.mark.slow


def write(directory: Path) -> ssl.SSLContext:
    """A new certificate; what trusts it and no other."""
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(directory / "key.pem"))
    (directory / "cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    return trust


def healthy(gateway: Process, trust: ssl.SSLContext) -> bool:
    """Whether it answers somebody with this trust."""
    url = f"https://127.0.0.1:{gateway.port}/health"
    with urllib.request.urlopen(url, timeout=20, context=trust) as response:
        return bool(json.loads(response.read())["status"] == "ok")


def test_a_new_certificate_is_taken_and_a_broken_one_is_not(tmp_path: Path) -> None:
    trust = write(tmp_path)
    path = config(tmp_path, "http://127.0.0.1:1", CHAIN)
    arguments = ("gateway", "run", "--policy-config", str(path), "--listen", "127.0.0.1:0")
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with kt(*arguments, *files, "--watch", state=tmp_path) as gateway:
        assert healthy(gateway, trust)
        (tmp_path / "key.pem").write_text("broken")
        gateway.popen.send_signal(signal.SIGHUP)
        assert "cannot serve TLS" in until(gateway, "Reload failed")
        assert healthy(gateway, trust)
        new_trust = write(tmp_path)
        until(gateway, "Reloaded: plan")
        assert healthy(gateway, new_trust)
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            healthy(gateway, trust)
        code, said = gateway.end()
    assert code == 0
    assert "PRIVATE KEY" not in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--tls-key", "key.pem"), "--tls-cert"),
        (("--tls-cert", "none.pem"), "cannot serve TLS"),
    ],
)
def test_files_that_are_no_use_are_refused_at_the_start(
    flags: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, "http://127.0.0.1:1", CHAIN)
    assert run(["gateway", "run", "--policy-config", str(path), *flags]) == 2
    assert said in capsys.readouterr().err
