"""Whether a plan's access can be bound: what types alone cannot say, and the compiler never writes.

In: the access of a plan of a file. Out: what is wrong with it, one by one.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_network

from kt.compiler.fields import MONTH
from kt.diagnostics import clean
from kt.plan import Access, ConsumerGroup, Cors, Networks, RateLimit, Scope

SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ORIGIN = re.compile(r"[\x21-\x7e]+")
_MOST_PROXIES = 16
_MOST = 10**12


def access_problems(access: Access) -> Iterator[str]:
    """Every reason why it cannot be bound."""
    names = [group.name for group in access.groups]
    if len({*names}) < len(names) or sum(one.is_default for one in access.groups) > 1:
        yield "access.groups: a group is given twice"
    for group in access.groups:
        yield from _group(group)
    for limit in access.rate_limits:
        yield from _limit(limit, frozenset(names))
    if access.networks is not None:
        yield from _networks(access.networks)
    if access.cors is not None:
        yield from _cors(access.cors)


def _group(group: ConsumerGroup) -> Iterator[str]:
    if not all(map(_DIGEST.fullmatch, group.keys)):
        yield f"group '{clean(group.name)}': keys: not the SHA-256 of a key"
    if not all(SECRET_NAME.fullmatch(one.name) for one in group.secrets):
        yield f"group '{clean(group.name)}': secrets: not the name of a secret"


def _limit(limit: RateLimit, groups: frozenset[str]) -> Iterator[str]:
    if not (0 <= limit.most <= _MOST and 1 <= limit.seconds <= MONTH):
        yield "access.rate_limits: no limit in a window"
    if not 0 <= limit.proxies <= _MOST_PROXIES:
        yield "access.rate_limits: too many proxies"
    if limit.group is not None and (limit.scope is not Scope.GROUP or limit.group not in groups):
        yield "access.rate_limits: of no group"
    if not all(map(_HEADER.fullmatch, limit.headers)):
        yield "access.rate_limits: not the name of a header"


def _networks(networks: Networks) -> Iterator[str]:
    if not 0 <= networks.proxies <= _MOST_PROXIES:
        yield "access.networks: too many proxies"
    for cidr in networks.cidrs:
        try:
            ip_network(cidr)
        except ValueError:
            yield "access.networks: not a network"


def _cors(cors: Cors) -> Iterator[str]:
    if "*" in cors.origins and cors.credentials:
        yield "access.cors: '*' with credentials"
    if not all(map(_ORIGIN.fullmatch, cors.origins)):
        yield "access.cors: not an origin"
    if not all(map(_HEADER.fullmatch, (*cors.methods, *cors.headers, *cors.exposed))):
        yield "access.cors: not the name of a header or a method"
