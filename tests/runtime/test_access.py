"""Client keys, groups, and the address of a client behind proxies."""

from ipaddress import ip_address

import pytest

from kt.errors import GatewayError
from kt.plan import Access, ConsumerGroup, Networks, SecretFrom, SecretRef
from kt.runtime.access import ANYBODY, Doorkeeper, client_address, digest_of

RED = ConsumerGroup(name="red", keys=(digest_of("kt_cg_red_1"),), allowed_models=("small",))
BLUE = ConsumerGroup(name="blue", secrets=(SecretRef(source=SecretFrom.ENV, name="BLUE"),))
REST = ConsumerGroup(name="rest", is_default=True)


def doorkeeper(*groups: ConsumerGroup, networks: Networks | None = None) -> Doorkeeper:
    """A doorkeeper who knows the key of blue."""
    return Doorkeeper(Access(groups=groups, networks=networks), {"blue": ("blue key",)})


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({b"authorization": b"Bearer kt_cg_red_1"}, "red"),
        ({b"authorization": b"bearer  blue key "}, "blue"),
        ({b"x-api-key": b"kt_cg_red_1"}, "red"),
        ({b"authorization": b"Bearer other", b"x-api-key": b"blue key"}, "blue"),
    ],
)
def test_a_key_says_the_group(headers: dict[bytes, bytes], name: str) -> None:
    caller = doorkeeper(RED, BLUE).caller(headers)
    assert (caller.group and caller.group.name, caller.has_key) == (name, True)
    assert caller.is_believed


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"authorization": b"Bearer kt_cg_red_2"},
        {b"authorization": b"Bearer "},
        {b"authorization": b"Basic kt_cg_red_1"},
        {b"x-api-key": b""},
        {b"x-api-key": digest_of("kt_cg_red_1").encode()},
    ],
)
def test_without_a_key_nobody_gets_in_and_nobody_is_believed(headers: dict[bytes, bytes]) -> None:
    guard = doorkeeper(RED, BLUE)
    caller = guard.caller(headers)
    assert not caller.is_believed
    with pytest.raises(GatewayError) as refusal:
        guard.demand_key(caller)
    assert refusal.value.code == "invalid_api_key"
    others = doorkeeper(RED, REST)
    caller = others.caller(headers)
    others.demand_key(caller)
    assert (caller.group, caller.has_key, caller.is_believed) == (REST, False, False)


def test_a_key_that_is_not_there_lets_nobody_in() -> None:
    guard = Doorkeeper(Access(groups=(BLUE,)), {})
    with pytest.raises(GatewayError):
        guard.demand_key(guard.caller({b"x-api-key": b""}))


def test_where_no_key_is_configured_nobody_needs_one() -> None:
    guard = doorkeeper()
    assert guard.caller({b"authorization": b"Bearer sk-mine"}) is ANYBODY
    guard.demand_key(ANYBODY)
    assert doorkeeper(REST).caller({}).group is REST
    assert doorkeeper(REST).caller({}).is_believed


def test_no_key_is_shown() -> None:
    assert "key" not in repr(doorkeeper(RED, BLUE)).replace("keys", "")


def test_a_group_asks_for_its_models_only() -> None:
    caller = doorkeeper(RED).caller({b"x-api-key": b"kt_cg_red_1"})
    caller.demand_model("small")
    for model in ("large", "", None):
        with pytest.raises(GatewayError) as refusal:
            caller.demand_model(model)
        assert refusal.value.code == "model_not_allowed"
    ANYBODY.demand_model(None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("10.0.0.1", b"9.9.9.9", 0, "10.0.0.1"),
        ("10.0.0.1", b"9.9.9.9", 1, "9.9.9.9"),
        ("10.0.0.1", b"6.6.6.6, 9.9.9.9", 1, "9.9.9.9"),
        ("10.0.0.1", b"6.6.6.6, 9.9.9.9, 10.0.0.2", 2, "9.9.9.9"),
        ("10.0.0.1", b"9.9.9.9", 2, None),
        ("10.0.0.1", b"", 1, None),
        ("10.0.0.1", b"9.9.9.9:443", 1, "9.9.9.9"),
        ("10.0.0.1", b"[2001:db8::1]:443", 1, "2001:db8::1"),
        ("10.0.0.1", b"unknown", 1, None),
        ("10.0.0.1", b"1" * 5000, 1, None),
        ("::ffff:10.0.0.1", b"", 0, "10.0.0.1"),
        ("fe80::1%eth0", b"", 0, "fe80::1"),
        ("", b"", 0, None),
    ],
)
def test_the_client_is_whom_our_outermost_proxy_saw(
    peer: str, forwarded: bytes, proxies: int, address: str | None
) -> None:
    found = client_address(peer, {b"x-forwarded-for": forwarded}, proxies)
    assert found == (None if address is None else ip_address(address))


def test_only_listed_networks_may_ask() -> None:
    cidrs = ("10.0.0.0/8", "2001:db8::/32")
    guard = doorkeeper(networks=Networks(cidrs=cidrs, proxies=0))
    guard.demand_address("10.1.2.3", {})
    guard.demand_address("2001:db8::7", {})
    for peer in ("11.0.0.1", "2001:db9::1", "", "::1"):
        with pytest.raises(GatewayError) as refusal:
            guard.demand_address(peer, {b"x-forwarded-for": b"10.0.0.1"})
        assert refusal.value.code == "address_not_allowed"
