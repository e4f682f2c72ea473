"""What one event of a streamed answer says, and the same event saying something else.

In: an event's texts, as its format reads them. Out: its JSON with other texts. Never: knows a
format, remembers an earlier event.

Two sorts of text. What grows has a lane, the same in every event that it grows in. What is complete
in its event is judged on its own and released with it; it may repeat a lane that has grown before.
"""

from collections.abc import Iterable, Mapping

import attrs

from kt.errors import GatewayError
from kt.exchange import Lane, Path, Place, Segment
from kt.policy import Edit
from kt.wire.json_body import JsonValue
from kt.wire.segments import changes_of
from kt.wire.splice import Change, splice

Usage = tuple[int | None, int | None]
"""The tokens that went in and came out, as far as the provider has said."""

NO_USAGE: Usage = (None, None)


@attrs.frozen
class Delta:
    """A text that grows: its next piece."""

    lane: Lane
    text: str
    path: Path
    likeness: JsonValue = attrs.field(default=None, repr=False)
    """What an event with held text of this lane takes over from this one."""


@attrs.frozen
class Whole:
    """A text that is complete in its event."""

    segment: Segment
    repeats: Place | None = None
    """Where the same has grown before, if it has."""


@attrs.frozen(kw_only=True)
class Chunk:
    """What one event says."""

    growing: tuple[Delta, ...] = ()
    """The texts that are not exempt and not empty."""
    whole: tuple[Whole, ...] = ()
    ended: tuple[Place, ...] = ()
    """Where a text ends with this event."""
    finished: tuple[int, ...] = ()
    """Choices of which every lane ends."""
    is_end: bool = False
    """Every lane ends."""
    is_last: bool = False
    """Nothing follows in this answer."""
    is_failure: bool = False
    """The provider says that the answer is not complete because it failed."""
    is_only_text: bool = False
    """Without its growing texts there would be nothing left worth sending."""
    follows_all: bool = False
    """It belongs behind everything that is still held."""
    repetitions: tuple[tuple[Path, Change], ...] = ()
    """What repeats text or counts its characters, and what stands there where rules act."""
    is_repetition: bool = False
    """There is nothing else in it, so that it goes where rules act."""
    usage: Usage = NO_USAGE
    number: int | None = None
    """Its place in the answer, where the format counts events."""


def rewritten(
    data: bytes, chunk: Chunk, texts: Mapping[Path, str], edits: Iterable[Edit] = ()
) -> bytes:
    """The event's JSON with these texts at their paths, edits made in what is complete in it, and
    without what repeats them."""
    changes = changes_of(tuple(one.segment for one in chunk.whole), edits)
    for delta in chunk.growing:
        if texts.get(delta.path, delta.text) != delta.text:
            changes[delta.path] = texts[delta.path]
    return splice(data, {**changes, **dict(chunk.repetitions)})


def no_event() -> GatewayError:
    """An event that is no part of an answer of its format."""
    return GatewayError("bad_response", "the provider sent an event that is no part of an answer")
