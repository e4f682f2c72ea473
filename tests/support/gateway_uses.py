"""How the settings of pack, targets and gateway are seen to act."""

from collections.abc import Mapping

import attrs
import certifi

from tests.support.scenes import Scene
from tests.support.starting import answers, keeps_alive, listens
from tests.support.uses import LATER, Use, asks, chain, gateway, target

KEYED = target(secret_key_ref={"env": "KT_TEST_ONE"})
TWO = asks("a", at_once=2, head=2, gap=3)
"""Two requests at once, whose answers take a while."""
STREAM = Scene(more={"stream": True}, says=("Some ", "text ", "comes."), pause=10)
LONG = "a long text " * 100

HTTPS = target(base_url="https://one")
PROBED = gateway(upstream={"keep_alive": {"enabled": True}})
WARM = gateway(warmup={"enabled": True, "connections_per_provider": 1})
ONE_SLOT = gateway(concurrency={"max_concurrent_requests": 1})

GATEWAY: Mapping[str, Use] = {
    "pack.name": Use("one", "two"),
    "pack.version": Use("1", "2"),
    "pack.enabled": Use(True, False, listens, {"providers": {"targets": []}}),
    "providers.targets[].id": Use("one", "two"),
    "providers.targets[].provider": Use("openai", "anthropic", around=KEYED),
    "providers.targets[].model": Use("one", "two"),
    "providers.targets[].base_url": Use("http://one", "http://two"),
    "providers.targets[].secret_key_ref.env": Use("KT_TEST_ONE", "KT_TEST_TWO"),
    "providers.targets[].secret_key_ref.store": Use("KT_TEST_ONE", "KT_TEST_TWO"),
    "providers.targets[].api_key": Use("${KT_TEST_ONE}", "${KT_TEST_TWO}"),
    "providers.targets[].api_key_header": Use("x-one", "x-two", around=KEYED),
    "providers.targets[].api_key_prefix": Use("One ", "Two ", around=KEYED),
    "providers.targets[].pool.max_connections": Use(1, 2, TWO),
    "providers.targets[].pool.max_idle_per_host": Use(1, 2, TWO),
    "providers.targets[].pool.idle_timeout": Use("5s", "50s", LATER),
    "providers.targets[].format": Use("openai", "anthropic"),
    "providers.targets[].tls.ca_file": Use("/nowhere", certifi.where(), listens, HTTPS),
    "providers.targets[].tls.client_cert": Use(
        "/nowhere", certifi.where(), listens, target(base_url="https://one")
    ),
    "providers.targets[].tls.client_key": Use(
        "/nowhere",
        certifi.where(),
        listens,
        target(base_url="https://one", tls={"client_cert": certifi.where()}),
    ),
    "gateway.passthrough": Use(["/v1/one"], ["/v1/two"], Scene(path="/v1/one")),
    "gateway.upstream.transport": Use("kt", "httpx", around=target(base_url="http://127.0.0.1:9")),
    "gateway.upstream.http_version": Use("h1", "h2"),
    "gateway.upstream.keep_alive.enabled": Use(True, False, keeps_alive),
    "gateway.upstream.keep_alive.interval": Use("7s", "9s", keeps_alive, PROBED),
    "gateway.upstream.keep_alive.timeout": Use("70s", "140s", keeps_alive, PROBED),
    "gateway.connection_pool.max_total": Use(1, 2, TWO),
    "gateway.connection_pool.max_lifetime": Use("5s", "50s", LATER),
    "gateway.warmup.enabled": Use(True, False, Scene(asks=())),
    "gateway.warmup.connections_per_provider": Use(
        1, 2, Scene(asks=()), gateway(warmup={"enabled": True})
    ),
    "gateway.warmup.probe_endpoint": Use("/one", "/two", Scene(asks=()), WARM),
    "gateway.listen_port": Use(41901, 41902, listens),
    "gateway.edge": Use("llhttp", "hypercorn", answers),
    "gateway.server_timing": Use(True, False),
    "gateway.timeouts.connect": Use("1s", "2s", Scene(connect=90)),
    "gateway.timeouts.first_byte": Use("1s", "2s", Scene(head=90)),
    "gateway.timeouts.request": Use("1s", "2s", Scene(head=90)),
    "gateway.timeouts.idle": Use("5s", "50s", LATER),
    "gateway.timeouts.policy_eval": Use(
        "1s", "9s", Scene(check=3), chain("pii-detector", "prompt-injection")
    ),
    "gateway.timeouts.streaming_idle": Use("1s", "2s", STREAM),
    "gateway.buffers.request_body_limit": Use("100b", "9kb", asks(LONG)),
    "gateway.buffers.response_body_limit": Use("100b", "9kb", Scene(says=(LONG,))),
    "gateway.buffers.streaming_buffer": Use(
        "9b", "9kb", attrs.evolve(STREAM, says=("a" * 40, "a@b.com")), chain("pii-detector")
    ),
    "gateway.concurrency.max_concurrent_requests": Use(1, 2, TWO),
    "gateway.concurrency.max_queue_size": Use(0, 1, TWO, ONE_SLOT),
    "gateway.concurrency.queue_timeout": Use("1s", "5s", TWO, ONE_SLOT),
    "gateway.concurrency.per_user_limit": Use(
        1, 2, attrs.evolve(TWO, headers={"x-user-id": "ann"})
    ),
    "gateway.concurrency.per_team_limit": Use(1, 2, attrs.evolve(TWO, headers={"x-team": "red"})),
    "size_limits.max_header_bytes": Use(2048, 8192, answers),
    "gateway.connection_pool.max_idle_per_host": Use(1, 2, TWO),
    "gateway.connection_pool.idle_timeout": Use("5s", "50s", LATER),
    "gateway.streaming.passthrough_chunked": Use(True, False, STREAM),
    "gateway.streaming.chunk_buffer": Use("100b", "9kb", STREAM),
    "gateway.streaming.flush_interval": Use("2s", "25s", STREAM),
    "gateway.streaming.max_duration": Use("15s", "90s", STREAM),
}
