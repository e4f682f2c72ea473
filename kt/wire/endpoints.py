"""Every path whose bodies are judged, and its format.

In: nothing. Out: one table. Never: a path that is forwarded unread; those are in the plan.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kt.wire.chat import CHAT
from kt.wire.completions import COMPLETIONS
from kt.wire.embeddings import EMBEDDINGS
from kt.wire.format import Format
from kt.wire.messages import MESSAGES
from kt.wire.responses import RESPONSES

FORMATS: Mapping[str, Format] = MappingProxyType(
    {one.path: one for one in (CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES)}
)
"""Path -> its format."""
