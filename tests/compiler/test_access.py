"""Who may ask, from the file to the plan."""

from hashlib import sha256

import pytest

from kt.compiler.pipeline import compile_source
from kt.errors import ConfigError
from kt.plan import Access, Networks, Scope, SecretFrom, Unit, to_data
from kt.source import Source


def access_of(text: str) -> Access:
    """The access of a configuration."""
    return compile_source(Source("kt.yaml", text)).program.access


def errors_of(text: str) -> list[str]:
    """The names of what is wrong with a configuration."""
    with pytest.raises(ConfigError) as refused:
        compile_source(Source("kt.yaml", text))
    return [one.name for one in refused.value.report.errors]


def test_a_configuration_without_these_sections_lets_everybody_in() -> None:
    assert access_of("pack: {name: a, version: 1.0.0, enabled: true}") == Access()


def test_a_key_enters_the_plan_as_its_digest_only() -> None:
    access = access_of("consumer_groups: [{name: red, api_key: kt_cg_red_1, api_keys: [another1]}]")
    (group,) = access.groups
    assert group.keys == tuple(sha256(key).hexdigest() for key in (b"kt_cg_red_1", b"another1"))
    assert "kt_cg_red_1" not in str(to_data(access))


@pytest.mark.parametrize(
    "key",
    ["api_key: '${RED_KEY}'", "api_key_env: RED_KEY", "api_key_ref: {env: RED_KEY}"],
)
def test_a_key_outside_is_named_in_three_ways(key: str) -> None:
    (group,) = access_of(f"consumer_groups: [{{name: red, {key}}}]").groups
    (secret,) = group.secrets
    assert (secret.source, secret.name, group.keys) == (SecretFrom.ENV, "RED_KEY", ())


def test_a_group_says_otherwise_than_the_defaults() -> None:
    limits = access_of(
        "consumer_groups:\n"
        "  - {name: red, api_key_env: RED, rate_limits: {requests_per_minute: 5}}\n"
        "rate_limit_defaults: {requests_per_minute: 9, tokens_per_day: 7}\n"
    ).rate_limits
    assert [(one.group, one.unit, one.most, one.seconds) for one in limits] == [
        ("red", Unit.REQUESTS, 5, 60),
        ("red", Unit.TOKENS, 7, 86400),
        (None, Unit.REQUESTS, 9, 60),
        (None, Unit.TOKENS, 7, 86400),
    ]


def test_where_a_group_is_for_the_others_nobody_is_in_none() -> None:
    text = "consumer_groups: [{name: a, default: true}]\nrate_limit_defaults: {tokens_per_day: 7}\n"
    assert [one.group for one in access_of(text).rate_limits] == ["a"]


@pytest.mark.parametrize(
    ("word", "scope"), [("global", Scope.ALL), ("ip", Scope.ADDRESS), ("user", Scope.USER)]
)
def test_tokens_are_limited_for_all_or_for_each(word: str, scope: Scope) -> None:
    text = f"token_rate_limit: {{max_tokens: 5, window_seconds: 60, scope: {word}}}"
    (limit,) = access_of(text).rate_limits
    assert (limit.scope, limit.unit) == (scope, Unit.TOKENS)
    assert errors_of(text.replace(word, "planet")) == ["unknown_word"]


@pytest.mark.parametrize("section", ["ip_allowlist", "cors"])
def test_what_is_switched_off_is_not_there(section: str) -> None:
    more = "cidrs: [10.0.0.0/8]" if section == "ip_allowlist" else "allow_origins: ['*']"
    assert access_of(f"{section}: {{enabled: false, {more}}}") == Access()
    assert access_of(f"{section}: {{{more}}}") != Access()


def test_a_list_without_addresses_lets_nobody_in() -> None:
    assert access_of("ip_allowlist: {cidrs: []}").networks == Networks(cidrs=())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "user_rate_limit: {max_requests: 1, window_seconds: 1, header_names: ['a b']}",
            "bad_header",
        ),
        ("cors: {allow_headers: ['a b']}", "bad_header"),
        ("cors: {allow_origins: ['https://u@h']}", "bad_origin"),
        ("consumer_groups: [{name: a, api_key_ref: {}}]", "secret_sources"),
        ("consumer_groups: [{name: a, api_key_env: 'A B'}]", "bad_secret_name"),
        ("global_rate_limit: {max_requests: 1, window_seconds: 0}", "out_of_range"),
        (
            "ip_rate_limit: {max_requests: 1, window_seconds: 1, trust_proxy_depth: -1}",
            "out_of_range",
        ),
        ("size_limits: {max_header_bytes: 10}", "out_of_range"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, name: str) -> None:
    assert errors_of(text) == [name]


def test_of_two_limits_on_one_size_the_smaller_holds() -> None:
    for first, second in ((10, 20), (20, 10)):
        sizes = compile_source(
            Source(
                "kt.yaml",
                f"gateway: {{buffers: {{request_body_limit: {first}b}}}}\n"
                f"size_limits: {{max_body_bytes: {second}, max_header_bytes: 2048}}\n",
            )
        ).program.sizes
        assert (sizes.request_body.value, sizes.request_head.value) == (10, 2048)
