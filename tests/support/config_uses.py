"""How every setting that acts is seen to act: the table of the config-use audit.

A row is the path of a leaf (tests/support/model_leaves.py), two values, and what is done with a
gateway for each; what is seen must differ. Whoever makes a setting act adds its row, to the table
of its room.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tests.support.access_uses import ACCESS
from tests.support.entry_uses import ENTRIES
from tests.support.gateway_uses import GATEWAY
from tests.support.kind_uses import KINDS_AT_WORK
from tests.support.routing_uses import ROUTING
from tests.support.uses import Use

WHO_MAY_ASK = {path: Use(one.one, one.other, one.probe, one.around) for path, one in ACCESS.items()}

USES: Mapping[str, Use] = MappingProxyType(
    {**GATEWAY, **ROUTING, **WHO_MAY_ASK, **ENTRIES, **KINDS_AT_WORK}
)
"""Path of a leaf -> how it is seen to act."""

DESCRIPTIVE: Mapping[str, str] = MappingProxyType(
    {
        "version": "names the format, and there is one",
        "pack.id": "for people and their tools",
        "pack.author": "for people",
        "pack.description": "for people",
        "entry.description": "for people",
        "consumer_groups[].description": "for people",
        "routes[].name": "for people: EXPLAIN and findings",
        "routes[].description": "for people",
        "model_groups[].description": "for people",
    }
)
"""Path of a leaf -> why nothing acts on it."""
