"""One endpoint's wire format: everything that the runtime asks about bodies, in one value.

In: parsed bodies and their bytes. Out: segments, single facts, edited bytes, errors as this
format's clients expect them. Never: a second opinion on what is text; that is in the tables.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

import attrs

from kt.errors import GatewayError
from kt.exchange import Dialect, Path, Segment
from kt.policy import Edit
from kt.wire.arguments import unreadable
from kt.wire.chunks import Chunk, Delta, Usage
from kt.wire.json_body import Ambiguous, JsonObject, JsonValue, parse_lenient
from kt.wire.segments import (
    MAX_SEGMENTS,
    Tables,
    TooManyTexts,
    changes_of,
    segments_of,
)
from kt.wire.splice import Change, splice

Repetitions = Callable[[JsonValue, Collection[Path]], Mapping[Path, Change]]
"""What repeats edited texts (their paths are given) in clear or counts their characters."""

Headers = tuple[tuple[bytes, bytes], ...]

OPENAI_HEADERS = frozenset({b"openai-beta", b"openai-organization", b"openai-project"})


def nothing_repeats(value: JsonValue, edited: Collection[Path]) -> Mapping[Path, Change]:
    """For formats in which nothing does."""
    return MappingProxyType({})


def is_all_text(value: JsonObject) -> bool:
    """For formats in which no text can come as anything but text."""
    return True


@attrs.frozen(kw_only=True)
class StreamFormat:
    """The events of a streamed answer."""

    read: Callable[[JsonValue], Chunk]
    """Raises GatewayError `bad_response` for what is no part of an answer."""
    held: Callable[[Delta, str], bytes]
    """An event that carries text which was held back, and nothing else."""
    is_error: Callable[[JsonValue], bool]
    """Whether an event is the provider's own error and carries no part of an answer."""
    error: Callable[[GatewayError, int], bytes]
    """The last event of an answer that cannot go on, given the number that it would have."""
    done: bytes | None = None
    """The data of the event that ends an answer, where that is no JSON."""
    repeats_texts: bool = False
    """Whether late events hold the whole answer once more, and are as large."""


@attrs.frozen(kw_only=True)
class Format:
    """The wire format of one path."""

    path: str
    dialect: Dialect
    request: Tables
    answer: Tables
    check: Callable[[JsonObject], None]
    """Raises GatewayError `invalid_shape` for a request without what we rely on."""
    usage: Callable[[JsonValue], Usage]
    error: Callable[[GatewayError], JsonObject]
    """The body of a refusal."""
    stream: StreamFormat | None = None
    """None: this format has no streamed answers."""
    is_all_text: Callable[[JsonObject], bool] = is_all_text
    """Whether policies can read everything that the model will read as text."""
    repetitions: Repetitions = nothing_repeats
    parse_answer: Callable[[bytes], JsonValue] = parse_lenient
    forwarded: frozenset[bytes] = frozenset()
    """The client's headers that a provider sees; everything else, keys above all, stays here."""
    own_headers: Headers = ()
    """What a provider needs where the client sends none."""

    def check_request(self, value: JsonValue) -> JsonObject:
        """The request as an object. Raises GatewayError `invalid_shape`."""
        if not isinstance(value, dict):
            raise misshapen("the body must be an object")
        model, stream = value.get("model"), value.get("stream")
        if not isinstance(model, str) or not model:
            raise misshapen("'model' must be a string")
        if not (stream is None or isinstance(stream, bool)):
            raise misshapen("'stream' must be true or false")
        if stream and self.stream is None:
            raise misshapen("'stream' is not possible here")
        self.check(value)
        return value

    def model_of(self, value: JsonObject) -> str:
        """The model that a checked request asks for."""
        return str(value["model"])

    def wants_stream(self, value: JsonObject) -> bool:
        """Whether a checked request asks for a streamed answer."""
        return value.get("stream") is True

    def with_model(self, body: bytes, model: str) -> bytes:
        """A checked request's body that asks for another model."""
        return splice(body, {("model",): model})

    def request_segments(self, value: JsonValue) -> tuple[Segment, ...]:
        """Every text of a request. Raises GatewayError `ambiguous_json` or `body_too_large`."""
        try:
            return segments_of(value, self.request)
        except TooManyTexts:
            message = f"the body has more than {MAX_SEGMENTS} texts"
            raise GatewayError("body_too_large", message) from None
        except Ambiguous:
            message = "the arguments of a tool call can be read in more than one way"
            raise GatewayError("ambiguous_json", message) from None

    def answer_segments(self, value: JsonValue) -> tuple[Segment, ...]:
        """Every text of a whole answer. Raises GatewayError `bad_response`."""
        try:
            return segments_of(value, self.answer)
        except (Ambiguous, TooManyTexts):
            raise unreadable() from None

    def edited_answer(
        self, body: bytes, value: JsonValue, segments: tuple[Segment, ...], edits: Iterable[Edit]
    ) -> bytes:
        """A whole answer with its edits made, and without what repeats them."""
        changes = changes_of(segments, edits)
        return splice(body, {**changes, **self.repetitions(value, changes)}) if changes else body


def is_text_or_texts(value: JsonValue) -> bool:
    """Whether a prompt is a text or a list of texts, and no list of token numbers."""
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def misshapen(message: str) -> GatewayError:
    """A request without what we rely on."""
    return GatewayError("invalid_shape", message)
