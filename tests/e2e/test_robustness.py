"""The real process after everything that bad clients and bad providers do to it."""

import contextlib
import json
import signal
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kt.plan import Edge
from tests.support.processes import Process, kt
from tests.support.sockets import request_bytes

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "fixtures/examples/throughput_tuned.case"
PATH = "/v1/chat/completions"
POST = f"POST {PATH} HTTP/1.1\r\nhost: x\r\n".encode()
LONGEST = 10.0
TOKEN = "tok_" + "Zz9" * 38 + "Qx"
REPLY = f"Here it is: {TOKEN}. Keep it."
TOKEN_CONFIG = r"""
pack: {name: token, version: 1.0.0, enabled: true}
policies:
  chain: [pii-detector]
policy:
  pii-detector:
    action: redact
    detect_patterns: ['\btok_[A-Za-z0-9]{100,120}\b']
providers:
  targets: [{id: mock, base_url: 'http://127.0.0.1:1'}]
"""


def example() -> str:
    """The configuration of the throughput article."""
    return EXAMPLE.read_text().partition("\n----")[0] + "\n"


@contextmanager
def served(directory: Path, config: str, *mock_options: str) -> Iterator[Process]:
    """A gateway in front of a mock provider."""
    path = directory / "policy-config.yaml"
    path.write_text(config)
    with kt("mock", "run", "--listen", "127.0.0.1:0", *mock_options, state=directory) as mock:
        target = "openai-primary=" if "openai-primary" in config else ""
        arguments = ("--listen", "127.0.0.1:0", "--policy-config", str(path))
        upstream = ("--upstream", target + mock.url)
        with kt("gateway", "run", *arguments, *upstream, state=directory) as gateway:
            yield gateway


@pytest.fixture(scope="module", params=Edge, ids=lambda edge: edge.value)
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """One gateway for all tests that it must survive; its provider cuts every second answer."""
    options = ("--fault", "cut_every_second", "--chunks", "50")
    config = f"{example()}gateway: {{edge: {request.param.value}}}\n"
    with served(tmp_path_factory.mktemp("gateway"), config, *options) as process:
        yield process


def chat_body(text: str, *, stream: bool) -> bytes:
    """A chat request."""
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "m", "messages": messages, "stream": stream}).encode()


def ask(process: Process, text: str = "hello there", *, stream: bool = False) -> tuple[int, bytes]:
    """Status and body of one chat."""
    request = urllib.request.Request(  # noqa: S310 - our own address
        process.url + PATH,
        chat_body(text, stream=stream),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=LONGEST) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def check_alive(process: Process) -> None:
    """It answers: of two chats in a row, the provider answers one."""
    with urllib.request.urlopen(process.url + "/health", timeout=LONGEST) as answer:  # noqa: S310
        assert json.load(answer)["status"] == "ok"
    assert 200 in (ask(process)[0], ask(process)[0])
    assert process.popen.poll() is None


def connect(process: Process) -> socket.socket:
    """A raw connection."""
    return socket.create_connection(("127.0.0.1", process.port), timeout=LONGEST)


def reset(client: socket.socket) -> None:
    """Leave without a word."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def rest(client: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            data += piece
    return data


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"\x00" * 70000,
        b"GET / HTTP/9.9\r\n\r\n",
        POST + b"content-length: -1\r\n\r\n",
        POST + b"transfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_it_lives_after_garbage(gateway: Process, data: bytes) -> None:
    with connect(gateway) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        assert b" 200 " not in rest(client)
    check_alive(gateway)


def test_it_lives_after_an_oversize_body(gateway: Process) -> None:
    with connect(gateway) as client:
        client.sendall(POST + b"content-length: 99999999\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")
    with connect(gateway) as client:
        chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
        with contextlib.suppress(ConnectionError):
            client.sendall(POST + b"transfer-encoding: chunked\r\n\r\n" + chunk * 12)
        assert rest(client).startswith(b"HTTP/1.1 413 ")
    check_alive(gateway)


def test_it_lives_after_two_hundred_clients_that_left(gateway: Process) -> None:
    whole = request_bytes("POST", PATH, body=chat_body("word " * 200, stream=True))
    for number in range(200):
        client = connect(gateway)
        match number % 4:
            case 0:
                pass
            case 1:
                client.sendall(whole[:40])
            case 2:
                client.sendall(whole[:-10])
            case 3:
                client.sendall(whole)
                client.recv(100)
        if number % 8 < 4:
            reset(client)
        else:
            client.close()
    check_alive(gateway)
    with urllib.request.urlopen(gateway.url + "/metrics", timeout=LONGEST) as page:  # noqa: S310
        assert b"\nkeeptrusts_queue_depth 0.0\n" in page.read()


def test_it_lives_with_a_client_that_never_reads(gateway: Process) -> None:
    body = chat_body("word " * 400_000, stream=True)
    clients = []
    for _ in range(3):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(LONGEST)
        client.connect(("127.0.0.1", gateway.port))
        client.sendall(request_bytes("POST", PATH, body=body))
        clients.append(client)
    check_alive(gateway)
    for client in clients:
        reset(client)
    check_alive(gateway)


def test_every_stream_that_the_provider_cuts_ends_properly(gateway: Process) -> None:
    answers = [ask(gateway, "these are a few words", stream=True) for _ in range(10)]
    bodies = [body for status, body in answers if status == 200]
    cut = [body for body in bodies if b'"upstream_cut"' in body]
    assert len(bodies) == 10
    assert len(cut) == 5
    for body in bodies:
        assert body.endswith(b"\n\n")
        assert (b"data: [DONE]" in body) is (body not in cut)
        assert body.count(b'"error"') == (body in cut)


# ---- Configurations


def test_a_misspelled_key_is_named_with_its_place_and_the_right_word(tmp_path: Path) -> None:
    config = tmp_path / "policy-config.yaml"
    config.write_text(example().replace("secret_key_ref:", "secret_key_reff:"))
    checked = subprocess.run(
        [sys.executable, "-m", "kt", "config", "validate", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    line = example().splitlines().index("      secret_key_ref:") + 1
    assert checked.returncode == 1
    assert f"{config}:{line}:7: KT" in checked.stderr
    assert "'secret_key_reff'" in checked.stderr
    assert "'secret_key_ref'" in checked.stderr


# ---- A long token in a stream


def check_hidden(body: bytes) -> None:
    """No piece of eight bytes of the token is anywhere in the raw response."""
    assert b"PATTERN_1" in body
    for at in range(len(TOKEN) - 7):
        assert TOKEN[at : at + 8].encode() not in body


@pytest.mark.parametrize(
    "options",
    [("--chunk-bytes", "3"), ("--chunks", str(len(REPLY) // 3)), ("--chunks", "1"), ()],
    ids=["3 bytes at a time", "3 characters at a time", "in one event", "in four events"],
)
def test_a_long_token_never_shows_a_byte_of_itself(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with served(tmp_path, TOKEN_CONFIG, "--reply", REPLY, *options) as process:
        for stream in (True, False):
            status, body = ask(process, stream=stream)
            assert status == 200
            check_hidden(body)


# ---- Signals


def test_a_second_sigterm_ends_a_drain(tmp_path: Path) -> None:
    with served(tmp_path, example(), "--fault", "never_ending") as process, connect(process) as it:
        it.sendall(request_bytes("POST", PATH, body=chat_body("hello", stream=True)))
        assert it.recv(100).startswith(b"HTTP/1.1 200 ")
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.stderr is not None
        while "Draining" not in process.popen.stderr.readline():
            assert process.popen.poll() is None
        code, output = process.end(signal.SIGTERM)
    assert code == 130
    assert "Traceback" not in output


def test_an_idle_gateway_ends_at_once(tmp_path: Path) -> None:
    with served(tmp_path, example()) as process, connect(process):
        code, output = process.end(signal.SIGTERM)
    assert (code, "Traceback" in output) == (0, False)
