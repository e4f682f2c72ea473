"""Who is measured: our gateway as it is configured, and its peers, each with how it is set up.

In: the port of the provider. Out: a `Side`, or `Missing` with the reason for what is not to be had
here. Peers are installed once, in versions that are named here, into a directory that git ignores.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from bench.processes import CACHE, Side, free_port

RUN = CACHE / "run"
PORTKEY = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": "1.15.2"},
    # With the versions that it asks for, every stream is an error on current Node.
    "overrides": {"@hono/node-server": "1.3.3", "hono": "4.6.10"},
}
PYTHON_PEERS = MappingProxyType(
    {"LiteLLM": "litellm[proxy]==1.106.2", "TensorZero": "tensorzero==2026.6.0"}
)
PROFILER = "py-spy==0.4.3"
KEY = "sk-benchmark-only"


class Missing(Exception):
    """A side that cannot run here, and why."""


FIVE = """\
policies:
  chain: [prompt-injection, pii-detector, dlp-filter, safety-filter, audit-logger]
policy:
  pii-detector: {action: redact}
  dlp-filter:
    blocked_terms: [Project Falcon, Operation Nightjar, internal roadmap]
    patterns: [{name: ticket, regex: "SEC-[0-9]{6}"}]
"""
ONE = "policies: {chain: [pii-detector]}\n"


def twenty() -> str:
    """Four of the five, and sixteen filters with patterns of their own."""
    kinds = ("prompt-injection", "pii-detector", "safety-filter", "audit-logger")
    rows = [f"  - {{name: {kind}, type: {kind}}}\n" for kind in kinds]
    own = "type: dlp-filter, action: redact, pattern"
    rows += [f"  - {{name: own-{one}, {own}: 'key{one}-[a-z]+'}}\n" for one in range(16)]
    return "policies:\n" + "".join(rows)


def config(policies: str, mock: int, gateway: str = "") -> str:
    """A whole configuration."""
    return (
        "pack: {name: bench, version: 1.0.0, enabled: true}\n"
        f"{policies}"
        f"gateway: {{concurrency: {{max_concurrent_requests: 2048}}{gateway}}}\n"
        f"providers: {{targets: [{{id: mock, base_url: 'http://127.0.0.1:{mock}'}}]}}\n"
    )


def kt(name: str, policies: str = FIVE, gateway: str = "", more: tuple[str, ...] = ()) -> "Maker":
    """Our gateway with these policies, and settings of its section `gateway`."""

    def make(mock: int) -> Side:
        port = free_port()
        place = RUN / f"kt-{port}"
        place.mkdir(parents=True)
        file = place / "policy-config.yaml"
        file.write_text(config(policies, mock, gateway))
        words = ("gateway", "run", "--policy-config", str(file), "--listen", f"127.0.0.1:{port}")
        return Side(
            name=name,
            command=(our_command(), *words, *more),
            port=port,
            environment={"KEEPTRUSTS_STATE_DIR": str(place)},
        )

    return make


def our_command() -> str:
    """The `kt` beside this Python."""
    return str(Path(sys.executable).with_name("kt"))


def direct(mock: int) -> Side:
    """No gateway: what the load generator and the provider can do."""
    return Side(name="direct", command=(), port=mock)


def nginx(mock: int) -> Side:
    """A plain reverse proxy, if the machine has one."""
    program = shutil.which("nginx")
    if program is None:
        raise Missing("nginx is not installed on this machine")
    port = free_port()
    file = RUN / "nginx.conf"
    file.write_text(
        f"worker_processes 1; daemon off; pid {RUN}/nginx.pid; error_log {RUN}/nginx.err;\n"
        "events { worker_connections 4096; }\n"
        "http { access_log off; keepalive_requests 100000000; client_body_buffer_size 2m;\n"
        " client_max_body_size 4m; proxy_http_version 1.1; proxy_buffering off;\n"
        f" upstream mock {{ server 127.0.0.1:{mock}; keepalive 256; }}\n"
        f" server {{ listen 127.0.0.1:{port} backlog=4096;\n"
        '  location / { proxy_pass http://mock; proxy_set_header Connection ""; } } }\n'
    )
    return Side(name="nginx", command=(program, "-c", str(file)), port=port)


def portkey(mock: int) -> Side:
    """Portkey's gateway without checks."""
    headers = ("x-portkey-provider: openai", f"x-portkey-custom-host: http://127.0.0.1:{mock}/v1")
    return portkey_side("Portkey", (*headers, f"authorization: Bearer {KEY}"))


def guarded_portkey(mock: int) -> Side:
    """Portkey's gateway with two of its own checks on requests."""
    number = {"rule": r"\b\d{3}-\d{2}-\d{4}\b", "not": True}
    words = {"operator": "none", "words": ["forbidden", "confidential-project-x"]}
    settings = {
        "provider": "openai",
        "custom_host": f"http://127.0.0.1:{mock}/v1",
        "api_key": KEY,
        "input_guardrails": [
            {"default.regexMatch": number, "deny": True},
            {"default.contains": words, "deny": True},
        ],
    }
    return portkey_side("Portkey, 2 guardrails", (f"x-portkey-config: {json.dumps(settings)}",))


def portkey_side(name: str, headers: tuple[str, ...]) -> Side:
    """Portkey's server for these headers."""
    place = CACHE / "portkey"
    start = place / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not start.exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text(json.dumps(PORTKEY))
        install("npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(place))
    port = free_port()
    return Side(
        name=name,
        command=("node", str(start), "--headless", f"--port={port}"),
        port=port,
        headers=headers,
        environment={"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"},
    )


def litellm(mock: int) -> Side:
    """LiteLLM's proxy without checks or a database, in the mode that it names production."""
    place = python_peer("LiteLLM")
    port = free_port()
    file = RUN / "litellm.json"
    models = [
        {
            "model_name": model,
            "litellm_params": {
                "model": f"openai/{model}",
                "api_base": f"http://127.0.0.1:{mock}/v1",
                "api_key": KEY,
            },
        }
        for model in ("mock", "idle")
    ]
    quiet = {"set_verbose": False, "telemetry": False, "num_retries": 0}
    general = {"master_key": KEY, "disable_spend_logs": True, "disable_error_logs": True}
    whole = {"model_list": models, "litellm_settings": quiet, "general_settings": general}
    file.write_text(json.dumps(whole))  # JSON is YAML
    words = ("--config", str(file), "--host", "127.0.0.1", "--port", str(port))
    switches = ("LITELLM_LOCAL_MODEL_COST_MAP", "NO_DOCS", "DISABLE_ADMIN_UI")
    environment = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}
    return Side(
        name="LiteLLM",
        command=(str(place / "bin" / "litellm"), *words, "--num_workers", "1"),
        port=port,
        headers=(f"authorization: Bearer {KEY}",),
        environment={**environment, **dict.fromkeys(switches, "True")},
    )


TENSORZERO = """
import pathlib, sys, time, tensorzero
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None,
    async_setup=False)
port = gateway.base_url.split(":")[2].split("/")[0]
pathlib.Path(sys.argv[2]).write_text(port)
time.sleep(1e6)
"""


def tensorzero(mock: int) -> Side:
    """TensorZero's gateway out of its Python package, without its database."""
    place = python_peer("TensorZero")
    file, port_file = RUN / "tensorzero.toml", RUN / "tensorzero.port"
    models = "".join(
        f'[models.{model}]\nrouting = ["mock"]\n[models.{model}.providers.mock]\n'
        f'type = "openai"\nmodel_name = "{model}"\napi_base = "http://127.0.0.1:{mock}/v1/"\n'
        'api_key_location = "none"\n'
        for model in ("mock", "idle")
    )
    file.write_text(f"{models}[gateway]\nobservability.enabled = false\n")
    words = ("-c", TENSORZERO, str(file), str(port_file))
    return Side(
        name="TensorZero",
        command=(str(place / "bin" / "python"), *words),
        port=0,
        environment={"TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS": "1"},
        path="/openai/v1/chat/completions",
        model_prefix="tensorzero::model_name::",
        port_file=port_file,
    )


def python_peer(name: str) -> Path:
    """The environment of a peer that is a Python package."""
    return python_tool(name.lower(), PYTHON_PEERS[name])


def python_tool(name: str, requirement: str) -> Path:
    """An environment of its own with one package."""
    place = CACHE / name
    if not (place / "complete").exists():
        install(sys.executable, "-m", "venv", str(place))
        install(str(place / "bin" / "pip"), "install", "--quiet", requirement)
        (place / "complete").touch()
    return place


def install(*command: str) -> None:
    """Run an installer. Raises Missing for one that is not there or fails."""
    try:
        subprocess.run(command, check=True, timeout=900)
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"{command[0]} could not install it: {type(error).__name__}") from error


Maker = Callable[[int], Side]
"""The port of the provider -> a side."""
BASE = "kt, 5 policies"
PEERS: Mapping[str, Maker] = MappingProxyType(
    {
        BASE: kt(BASE),
        "kt, no policies": kt("kt, no policies", ""),
        "direct": direct,
        "nginx": nginx,
        "TensorZero": tensorzero,
        "Portkey": portkey,
        "Portkey, 2 guardrails": guarded_portkey,
        "LiteLLM": litellm,
    }
)
POLICIES: Mapping[str, Maker] = MappingProxyType(
    {
        "0 policies": kt("0 policies", ""),
        "1 policy": kt("1 policy", ONE),
        "5 policies": kt("5 policies"),
        "20 policies": kt("20 policies", twenty()),
    }
)
LAYERS: Mapping[str, Maker] = MappingProxyType(
    {
        BASE: kt(BASE),
        "without policies": kt("without policies", ""),
        "without the audit log": kt("without the audit log", FIVE.replace(", audit-logger", "")),
        "without server-timing": kt("without server-timing", gateway=", server_timing: false"),
        "edge: hypercorn": kt("edge: hypercorn", gateway=", edge: hypercorn"),
        "transport: httpx": kt("transport: httpx", gateway=", upstream: {transport: httpx}"),
    }
)
WORKERS: Mapping[str, Maker] = MappingProxyType(
    {f"{count} workers": kt(f"{count} workers", more=("--workers", str(count))) for count in (1, 2)}
)
