"""Who asks, and whether they may: client keys, addresses, consumer groups.

In: what a request says of itself, before its body is read. Out: its caller, or a refusal. Never: a
key in the clear beyond one hash; a comparison whose time depends on a key; a header about who
somebody is from a caller who has shown no key where keys are needed.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import attrs

from kt.errors import GatewayError
from kt.plan import Access, ConsumerGroup, Networks
from kt.runtime.identity import Headers

Address = IPv4Address | IPv6Address
MAX_ADDRESS = 64
"""No address is longer, however it is written."""


@attrs.frozen
class Caller:
    """Who asks."""

    group: ConsumerGroup | None = None
    has_key: bool = False
    is_believed: bool = True
    """Whether what its headers say of its user and team counts."""

    def demand_model(self, model: str | None) -> None:
        """Raise GatewayError where the caller may not ask for a model; None: nobody knows which."""
        group = self.group
        if group is not None and group.allowed_models and model not in group.allowed_models:
            message = "the group of this key may not ask for this model"
            raise GatewayError("model_not_allowed", message)


ANYBODY = Caller()


class Doorkeeper:
    """What a plan says about who may ask, bound to the keys."""

    def __init__(self, access: Access, client_keys: Mapping[str, Iterable[str]]) -> None:
        self._needs_keys = access.needs_keys
        self._groups = _by_digest(access, client_keys)
        self._default = next((one for one in access.groups if one.is_default), None)
        self._networks = None if access.networks is None else Doors.of(access.networks)

    def __repr__(self) -> str:
        return f"<Doorkeeper {len(self._groups)} keys>"

    def caller(self, headers: Headers) -> Caller:
        """Who sends these headers. One hash for each header that may hold a key."""
        if not self._needs_keys:
            return ANYBODY if self._default is None else Caller(self._default)
        for key in _keys_in(headers):
            # Looking a digest up tells nothing of a key: nobody can aim at a digest.
            group = self._groups.get(sha256(key).digest())
            if group is not None:
                return Caller(group, has_key=True)
        return Caller(self._default, is_believed=False)

    def demand_key(self, caller: Caller) -> None:
        """Raise GatewayError where a key is needed and was not shown."""
        if self._needs_keys and caller.group is None:
            message = "show one of this gateway's keys as authorization: Bearer, or x-api-key"
            raise GatewayError("invalid_api_key", message)

    def demand_address(self, peer: str, headers: Headers) -> None:
        """Raise GatewayError where nobody may ask from this address."""
        if self._networks is not None and not self._networks.let_in(peer, headers):
            raise GatewayError("address_not_allowed", "nobody may ask from this address")


@attrs.frozen
class Doors:
    """The networks whose addresses may ask."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    proxies: int

    @classmethod
    def of(cls, networks: Networks) -> "Doors":
        """Read what the plan has as text."""
        return cls(tuple(map(ip_network, networks.cidrs)), networks.proxies)

    def let_in(self, peer: str, headers: Headers) -> bool:
        """Whether the client's address is in one of them; an address that nobody knows is not."""
        address = client_address(peer, headers, self.proxies)
        return address is not None and any(address in one for one in self.networks)


def client_address(peer: str, headers: Headers, proxies: int) -> Address | None:
    """The client's address as the outermost of our proxies saw it; None where it did not say.

    Each of our proxies adds whom it saw at the right, so what a client writes itself stands further
    left than anything that is counted.
    """
    if not proxies:
        return _address(peer)
    hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").rsplit(",", proxies)
    return _address(hops[-proxies]) if len(hops) >= proxies else None


def _address(text: str) -> Address | None:
    text = text.strip()
    if len(text) > MAX_ADDRESS:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def digest_of(key: str) -> str:
    """How a key stands in a plan: its SHA-256 in hexadecimal digits."""
    return sha256(key.encode()).hexdigest()


def _by_digest(
    access: Access, client_keys: Mapping[str, Iterable[str]]
) -> Mapping[bytes, ConsumerGroup]:
    written = {bytes.fromhex(key): group for group in access.groups for key in group.keys}
    read = {
        sha256(key.encode()).digest(): group
        for group in access.groups
        for key in client_keys.get(group.name, ())
    }
    return {**read, **written}


def _keys_in(headers: Headers) -> Iterable[bytes]:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and token.strip():
        yield token.strip()
    if key := headers.get(b"x-api-key", b"").strip():
        yield key
