"""`content-extractor`: read what a request links to. Not enforced yet."""

from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import WarnOrBlock
from kt.policies.problem import Problem, out_of_range
from kt.policy import Cost, Facts, Phase, Sees, Streams

HOUR = 3_600_000
GIGABYTE = 2**30


@attrs.frozen(kw_only=True)
class ContentExtractor:
    """Fetch what the URLs of a request name, from the hosts that are listed."""

    KIND: ClassVar[str] = "content-extractor"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.INPUT,)

    allow_hosts: tuple[str, ...] = ()
    """Exact names; none listed means that nothing is fetched."""
    timeout_ms: int = 2000
    max_bytes: int = 65536
    fetch_urls: bool = True
    action_on_error: WarnOrBlock = WarnOrBlock.WARN

    def facts(self, phase: Phase) -> Facts:
        """State that it reads everything, asks over the network and may block."""
        return Facts(
            surfaces=frozenset(Surface),
            can_block=self.action_on_error is WarnOrBlock.BLOCK,
            edits=True,
            has_effects=True,
            cost=Cost.NETWORK,
            streams=Streams.WHOLE,
            sees=Sees.REDACTED,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="links are not followed")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        return (
            *out_of_range("timeout_ms", self.timeout_ms, 1, HOUR),
            *out_of_range("max_bytes", self.max_bytes, 1, GIGABYTE),
        )
