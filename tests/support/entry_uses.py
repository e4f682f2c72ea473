"""How what an entry of the chain says is seen to act."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import Scan
from kt.policies import KINDS
from kt.policy import Action, Cost, Facts, Phase, Rule
from tests.support.scenes import Scene
from tests.support.uses import MAIL, Use, chain, entry

# Any: YAML documents.


@attrs.frozen(kw_only=True)
class Waits:
    """A kind that waits for the network, as none of the real ones does yet."""

    KIND: ClassVar[str] = "pii-detector"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    def facts(self, phase: Phase) -> Facts:
        """State that it waits."""
        return Facts(surfaces=frozenset(Surface), cost=Cost.NETWORK)

    def body(self, phase: Phase) -> Scan:
        """Lower to a scan that finds nothing."""
        return Scan(rules=(Rule(id="x", pattern="zzz"),), action=Action.FLAG, message="")

    def problems(self) -> tuple[()]:
        """Report nothing."""
        return ()


@attrs.frozen(kw_only=True)
class Acts(Waits):
    """The same for a kind that acts on the outside."""

    def facts(self, phase: Phase) -> Facts:
        """State that it has effects, so that it keeps its place."""
        return Facts(surfaces=frozenset(Surface), has_effects=True)


def beside(**options: Any) -> dict[str, Any]:
    """A second entry that waits, after the one that a leaf is in."""
    return chain({}, {"pii-detector": {"name": "second", **options}})


ACTING = Scene(asks=("alpha",), kinds=MappingProxyType({**KINDS, "pii-detector": Acts}))
SLOW = Scene(check=1, kinds=MappingProxyType({**KINDS, "pii-detector": Waits}))
"""Checks that wait a second for the network."""

ENTRIES: Mapping[str, Use] = {
    "entry.name": Use("one", "two", MAIL),
    "entry.id": Use("one", "two", MAIL),
    "entry.enabled": Use(True, False, MAIL),
    "entry.stage": Use("pre-request", "post-response", MAIL),
    "entry.phase": Use("input", "output", MAIL),
    "entry.action": Use("block", "redact", MAIL),
    "entry.message": Use("one", "two", MAIL, entry(action="block")),
    "entry.replacement": Use("one", "two", MAIL),
    "entry.fail_open": Use(True, False, Scene(broken=True)),
    "entry.fail_closed": Use(True, False, Scene(broken=True)),
    "entry.when": Use({"path": "/v1/chat/completions"}, {"path": "/other"}, MAIL),
    "entry.order": Use(
        None,
        "free",
        ACTING,
        chain({}, {"dlp-filter": {"blocked_terms": ["alpha"], "action": "block"}}),
    ),
    "entry.parallel_group": Use("one", "two", SLOW, beside(parallel_group="one")),
    "entry.parallel": Use(True, False, SLOW, beside(parallel=True)),
    "entry.conditions": Use({"model": "m"}, {"model": "other"}, MAIL),
}
