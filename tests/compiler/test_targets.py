"""Targets: addresses, secrets by name, headers, pools, and `--upstream`."""

import pytest

from kt.compiler import Settings, Upstream, compile_source
from kt.compiler.targets import PROVIDERS, WITHOUT_ADDRESS
from kt.compiler.urls import clean_url, host_of
from kt.errors import ConfigError, UsageError
from kt.exchange import Dialect
from kt.plan import SecretFrom, SecretRef, Target
from kt.source import Source


def targets_of(text: str, *upstreams: Upstream) -> tuple[Target, ...]:
    return compile_source(Source("kt.yaml", text), Settings(upstreams=upstreams)).plan.targets


def target_of(keys: str) -> Target:
    (target,) = targets_of(f"providers: {{targets: [{{id: a, {keys}}}]}}")
    return target


def error_of(keys: str) -> str:
    with pytest.raises(ConfigError) as raised:
        target_of(keys)
    (error,) = raised.value.report.errors
    return error.name


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.openai.com", "https://api.openai.com"),
        ("https://api.openai.com/v1", "https://api.openai.com"),
        ("https://api.openai.com/v1/", "https://api.openai.com"),
        ("https://api.openai.com///", "https://api.openai.com"),
        ("http://localhost:8080/v1", "http://localhost:8080"),
        ("http://[::1]:8080/proxy/v1", "http://[::1]:8080/proxy"),
        ("https://x/v12", "https://x/v12"),
    ],
)
def test_a_base_url_never_ends_in_a_slash_or_v1(text: str, url: str) -> None:
    assert clean_url(text) == url
    assert clean_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "ftp://x", "https://", "https:///v1", "https://?x", "https://u:secret@x"),
        *(
            "https://x?secret=1",
            "https://x#secret",
            "https://x:99999",
            "https://x:0",
            "https://x:y",
        ),
        *("https://[::1", "https://x y", "https://x\n", "https://é", "https://x/\x00"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A(it|its) ") as raised:
        clean_url(text)
    assert "secret=" not in str(raised.value)
    assert "u:secret" not in str(raised.value)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_known_provider_needs_no_base_url(name: str) -> None:
    target = target_of(f"provider: {name}")
    assert target.base_url == PROVIDERS[name].base_url == clean_url(target.base_url)


def test_anthropic_has_a_header_of_its_own_by_name_and_by_host() -> None:
    by_name = target_of("provider: anthropic, base_url: http://proxy")
    by_host = target_of("base_url: https://api.anthropic.com/v1")
    for target in (by_name, by_host):
        assert (target.api_key_header, target.api_key_prefix) == ("x-api-key", "")
    assert host_of(by_host.base_url) == "api.anthropic.com"


def test_headers_that_are_given_win() -> None:
    target = target_of("provider: anthropic, api_key_header: api-key, api_key_prefix: 'Key '")
    assert (target.api_key_header, target.api_key_prefix) == ("api-key", "Key ")


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("provider: opnai", "unknown_provider"),
        ("model: x", "missing_key"),
        ("provider: openai, secret_key_ref: {}", "secret_sources"),
        ("provider: openai, secret_key_ref: {env: A, store: B}", "secret_sources"),
        ("provider: openai, secret_key_ref: {env: a-b}", "bad_secret_name"),
        ("provider: openai, secret_key_ref: {store: ../x}", "bad_secret_name"),
        ("provider: openai, secret_key_ref: NAME", "wrong_type"),
        ("provider: openai, api_key_header: 'a: b'", "bad_header"),
        ('provider: openai, api_key_prefix: "a\\r\\nb"', "bad_header"),
        ("base_url: '${URL}'", "unset_variable"),
    ],
)
def test_a_target_that_cannot_be_asked_is_an_error(keys: str, name: str) -> None:
    assert error_of(keys) == name


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("{env: MY_KEY}", SecretRef(source=SecretFrom.ENV, name="MY_KEY")),
        ("{store: my.key-1}", SecretRef(source=SecretFrom.STORE, name="my.key-1")),
    ],
)
def test_a_secret_is_a_name(written: str, secret: SecretRef) -> None:
    assert target_of(f"provider: openai, secret_key_ref: {written}").secret == secret


def test_a_pool_comes_from_the_target_then_the_gateway_then_the_default() -> None:
    text = (
        "providers: {targets: [{id: a, provider: openai, pool: {max_idle_per_host: 3}},"
        " {id: b, provider: openai, pool: {max_connections: 7, idle_timeout: 1s}}]}\n"
        "gateway: {connection_pool: {max_idle_per_host: 5}, timeouts: {idle: 9s}}"
    )
    one, other = (target.pool for target in targets_of(text))
    assert (one.max_connections, one.max_idle, one.idle.seconds) == (100, 3, 9.0)
    assert (other.max_connections, other.max_idle, other.idle.seconds) == (7, 5, 1.0)


def test_the_default_of_idle_connections_never_exceeds_all_connections() -> None:
    compiled = compile_source(
        Source(
            "kt.yaml",
            "providers: {targets: [{id: a, provider: openai, pool: {max_connections: 4}}]}",
        )
    )
    assert compiled.plan.targets[0].pool.max_idle == 4
    assert compiled.report.warnings == ()


TWO = "providers: {targets: [{id: a, provider: openai}, {id: b, provider: openai}]}"


@pytest.mark.parametrize(
    ("upstreams", "urls"),
    [
        ((), ["https://api.openai.com"] * 2),
        ((Upstream("http://x/v1"),), ["http://x"] * 2),
        ((Upstream("http://x", "b"),), ["https://api.openai.com", "http://x"]),
        ((Upstream("http://x"), Upstream("http://y", "b")), ["http://x", "http://y"]),
    ],
)
def test_upstream_replaces_the_address_of_one_target_or_all(
    upstreams: tuple[Upstream, ...], urls: list[str]
) -> None:
    assert [target.base_url for target in targets_of(TWO, *upstreams)] == urls


def test_upstream_makes_a_target_where_there_is_none() -> None:
    (target,) = targets_of("gateway: {}", Upstream("http://x/v1"))
    assert (target.id, target.base_url, target.origin) == ("upstream", "http://x", "--upstream")


@pytest.mark.parametrize(
    ("upstream", "hint"),
    [
        (Upstream("http://x", "c"), "use --upstream URL without a target"),
        (Upstream("x"), "see --help"),
    ],
)
def test_an_upstream_that_cannot_be_meant_is_a_usage_error(upstream: Upstream, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        targets_of(TWO, upstream)
    assert raised.value.hint == hint


def test_a_target_that_the_file_nearly_has_is_suggested() -> None:
    with pytest.raises(UsageError) as raised:
        targets_of(
            "providers: {targets: [{id: openai, provider: openai}]}", Upstream("http://x", "opnai")
        )
    assert raised.value.hint == "did you mean 'openai'?"


def test_a_provider_may_be_written_with_its_kind_and_model() -> None:
    target = target_of("provider: 'groq:chat:llama:70b'")
    assert (target.base_url, target.model) == ("https://api.groq.com/openai", "llama:70b")
    assert target_of("provider: 'openai:chat'").model is None
    assert target_of("provider: 'vllm:completion:m', base_url: 'http://x'").model == "m"


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("provider: 'openai:chta:m'", "unknown_word"),
        ("provider: 'openai:chat:m', model: n", "given_twice"),
        ("provider: 'opnai:chat:m'", "unknown_provider"),
    ],
)
def test_a_provider_with_a_wrong_part_is_refused(keys: str, name: str) -> None:
    assert error_of(keys) == name


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ("provider: aws-bedrock", "AWS signs requests"),
        ("provider: 'google:chat:gemini-2.5-pro'", "a format of its own"),
        ("provider: azure", "an address of its own"),
        ("provider: our-own", "add base_url"),
    ],
)
def test_a_provider_without_an_address_is_never_asked(keys: str, hint: str) -> None:
    text = f"providers: {{targets: [{{id: a, {keys}}}]}}"
    compiled = compile_source(Source("kt.yaml", text))
    (target,) = compiled.plan.targets
    (warning,) = compiled.report.warnings
    assert (target.base_url, warning.name) == ("", "no_address")
    assert hint in (warning.hint or "")


def test_an_address_makes_any_provider_a_target() -> None:
    assert target_of("provider: azure, base_url: 'http://x'").base_url == "http://x"
    (named,) = targets_of("providers: {targets: [{id: azure-openai, provider: ~}]}")
    assert named.base_url == ""


def test_no_provider_is_both_known_and_without_an_address() -> None:
    assert not PROVIDERS.keys() & WITHOUT_ADDRESS.keys()
    assert all(clean_url(one.base_url) == one.base_url for one in PROVIDERS.values())


def test_an_id_names_the_provider_where_nothing_else_does() -> None:
    (named,) = targets_of("providers: {targets: [{id: anthropic, provider: ~}]}")
    assert (named.base_url, named.api_key_header) == ("https://api.anthropic.com", "x-api-key")
    (other,) = targets_of("providers: {targets: [{id: anthropic, base_url: 'http://x'}]}")
    assert (other.base_url, other.api_key_header) == ("http://x", "Authorization")


@pytest.mark.parametrize(
    ("keys", "format_"),
    [
        ("provider: anthropic", Dialect.ANTHROPIC),
        ("base_url: https://api.anthropic.com/v1", Dialect.ANTHROPIC),
        ("provider: openai", Dialect.OPENAI),
        ("provider: openai, base_url: 'http://127.0.0.1:1'", Dialect.OPENAI),
        ("provider: ollama", None),
        ("base_url: http://127.0.0.1:1", None),
        ("provider: anthropic, format: openai", Dialect.OPENAI),
        ("base_url: http://127.0.0.1:1, format: anthropic", Dialect.ANTHROPIC),
    ],
)
def test_a_target_speaks_what_it_says_else_what_its_provider_does(
    keys: str, format_: Dialect | None
) -> None:
    assert target_of(keys).format is format_


def test_a_format_that_nobody_speaks_is_refused() -> None:
    assert error_of("provider: openai, format: google") == "unknown_word"
