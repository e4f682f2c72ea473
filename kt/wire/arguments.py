"""The arguments of a streamed tool call, once they are complete.

In: the text. Out: its segments, the text edited. Never: half of a document.
"""

from collections.abc import Iterable

import orjson

from kt.errors import GatewayError
from kt.exchange import Segment
from kt.policy import Edit
from kt.wire.json_body import Ambiguous
from kt.wire.segments import TooManyTexts, apply_edits, argument_segments


def segments_of_arguments(text: str) -> tuple[Segment, ...]:
    """Every text of complete arguments. Raises GatewayError `bad_response`."""
    try:
        return argument_segments(text)
    except (Ambiguous, TooManyTexts):
        raise unreadable() from None


def edited_arguments(text: str, segments: tuple[Segment, ...], edits: Iterable[Edit]) -> str:
    """Complete arguments with their edits made."""
    # As a JSON string, they have the same paths as in a whole answer.
    edited: str = orjson.loads(apply_edits(orjson.dumps(text), segments, edits))
    return edited


def unreadable() -> GatewayError:
    """An answer that policies cannot read as its client will."""
    message = "the provider's tool call can be read in more than one way, or has too many texts"
    return GatewayError("bad_response", message)
