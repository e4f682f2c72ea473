"""In which phases a chain entry runs."""

from collections.abc import Mapping
from types import MappingProxyType

from kt.compiler.blocks import Kinds
from kt.compiler.model import ChainEntry, EntryStage
from kt.policy import Phase

PHASE_OF: Mapping[EntryStage, Phase] = MappingProxyType(
    {
        EntryStage.PRE_REQUEST: Phase.INPUT,
        EntryStage.POST_REQUEST: Phase.INPUT,
        EntryStage.PRE_RESPONSE: Phase.OUTPUT,
        EntryStage.POST_RESPONSE: Phase.OUTPUT,
    }
)
"""The product names four moments; text passes at two of them."""


def phases_of(entry: ChainEntry, kinds: Kinds) -> tuple[Phase, ...]:
    """The phase of its stage, else those of its kind."""
    if entry.stage is None:
        return kinds[entry.kind.value].PHASES
    return (PHASE_OF[entry.stage],)
