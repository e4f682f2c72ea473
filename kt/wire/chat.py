"""The chat-completions format: what a request and an answer say, and answers after an edit.

In: parsed bodies and their bytes. Out: segments, single facts, edited bytes. Never: a second
opinion on what is text; that is `kt.wire.chat_tables`.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from kt.errors import GatewayError
from kt.exchange import Path, Segment
from kt.policy import Edit
from kt.wire import segments as texts
from kt.wire.chat_stream import (
    Chunk,
    Delta,
    error_frame,
    held_chunk,
    is_error,
    read_chunk,
    rewrite_chunk,
)
from kt.wire.chat_tables import ANSWER, REQUEST
from kt.wire.json_body import Ambiguous, JsonValue
from kt.wire.segments import MAX_SEGMENTS, TooManyTexts, apply_edits, changes_of, segments_of
from kt.wire.splice import EMPTY_LIST, NULL, splice

# ---- Requests


def check_request(value: JsonValue) -> None:
    """Refuse a request without what we rely on. Raises GatewayError `invalid_shape`."""
    if not isinstance(value, dict):
        raise _misshapen("the body must be an object")
    model, messages, stream = value.get("model"), value.get("messages"), value.get("stream")
    if not isinstance(model, str) or not model:
        raise _misshapen("'model' must be a string")
    if not isinstance(messages, list) or not messages:
        raise _misshapen("'messages' must be an array that is not empty")
    if not all(isinstance(message, dict) for message in messages):
        raise _misshapen("every member of 'messages' must be an object")
    if not (stream is None or isinstance(stream, bool)):
        raise _misshapen("'stream' must be true or false")


def model_of(value: JsonValue) -> str:
    """The model that a checked request asks for."""
    return str(_object(value)["model"])


def wants_stream(value: JsonValue) -> bool:
    """Whether a checked request asks for a streamed answer."""
    return _object(value).get("stream") is True


def with_model(body: bytes, model: str) -> bytes:
    """A checked request's body that asks for another model."""
    return splice(body, {("model",): model})


def request_segments(value: JsonValue) -> tuple[Segment, ...]:
    """Every text of a request. Raises GatewayError `ambiguous_json` or `body_too_large`."""
    try:
        return segments_of(value, REQUEST)
    except TooManyTexts:
        message = f"the body has more than {MAX_SEGMENTS} texts"
        raise GatewayError("body_too_large", message) from None
    except Ambiguous:
        message = "the arguments of a tool call can be read in more than one way"
        raise GatewayError("ambiguous_json", message) from None


# ---- Answers


def answer_segments(value: JsonValue) -> tuple[Segment, ...]:
    """Every text of a whole answer. Raises GatewayError `bad_response`."""
    try:
        return segments_of(value, ANSWER)
    except (Ambiguous, TooManyTexts):
        raise _unreadable() from None


def edited_answer(
    body: bytes, value: JsonValue, segments: tuple[Segment, ...], edits: Iterable[Edit]
) -> bytes:
    """A whole answer with its edits made.

    An edited choice loses what repeats its text in clear or counts its characters: its
    log-probabilities become null and its annotations an empty list.
    """
    changes = changes_of(segments, edits)
    for path in _repetitions(value, {path[1] for path in changes if path[0] == "choices"}):
        changes[path] = NULL if path[-1] == "logprobs" else EMPTY_LIST
    return splice(body, changes)


def _repetitions(value: JsonValue, edited: set[Any]) -> Iterable[Path]:
    choices = _object(value).get("choices")
    for index, choice in enumerate(choices if isinstance(choices, list) else ()):
        if index in edited and isinstance(choice, dict):
            if choice.get("logprobs") is not None:
                yield ("choices", index, "logprobs")
            if _object(choice.get("message")).get("annotations"):
                yield ("choices", index, "message", "annotations")


def usage_of(value: JsonValue) -> tuple[int | None, int | None]:
    """The tokens that went in and came out, as far as the provider says."""
    usage = _object(_object(value).get("usage"))
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def argument_segments(text: str) -> tuple[Segment, ...]:
    """Every text of the complete arguments of a tool call. Raises GatewayError `bad_response`."""
    try:
        return texts.argument_segments(text)
    except (Ambiguous, TooManyTexts):
        raise _unreadable() from None


def edited_arguments(text: str, segments: tuple[Segment, ...], edits: Iterable[Edit]) -> str:
    """The complete arguments of a tool call with their edits made."""
    # As a JSON string, they have the same paths as in a whole answer.
    edited: str = orjson.loads(apply_edits(orjson.dumps(text), segments, edits))
    return edited


def _misshapen(message: str) -> GatewayError:
    return GatewayError("invalid_shape", message)


def _unreadable() -> GatewayError:
    message = "the provider's tool call can be read in more than one way, or has too many texts"
    return GatewayError("bad_response", message)


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _count(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


__all__ = [
    "Chunk",
    "Delta",
    "answer_segments",
    "argument_segments",
    "check_request",
    "edited_answer",
    "edited_arguments",
    "error_frame",
    "held_chunk",
    "is_error",
    "model_of",
    "read_chunk",
    "request_segments",
    "rewrite_chunk",
    "usage_of",
    "wants_stream",
    "with_model",
]
