"""In which phases a chain entry runs."""

from collections.abc import Mapping
from types import MappingProxyType

from kt.compiler.blocks import Kinds
from kt.compiler.model import ChainEntry, EntryPhase, EntryStage
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

SIDE_OF: Mapping[EntryPhase, Phase] = MappingProxyType(
    {EntryPhase.INPUT: Phase.INPUT, EntryPhase.OUTPUT: Phase.OUTPUT}
)


def phases_of(entry: ChainEntry, kinds: Kinds) -> tuple[Phase, ...]:
    """The phase of its stage, else of its side, else those of its kind.

    What runs after everything has no side: a list may name one for it, and it makes no difference.
    """
    own = kinds[entry.kind.value].PHASES
    if entry.options.stage is not None:
        return (PHASE_OF[entry.options.stage],)
    if entry.options.phase is None or own == (Phase.AUDIT,):
        return own
    return (SIDE_OF[entry.options.phase],)
