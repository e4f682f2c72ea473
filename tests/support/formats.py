"""Requests and answers in every wire format, written by hand so that a test trusts none of ours.

In: a text, or the pieces in which a provider sends it. Out: bodies and event streams; and back,
what a client of that format would read in them.
"""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import attrs
import orjson

from kt.wire.chat import CHAT
from kt.wire.completions import COMPLETIONS
from kt.wire.format import Format
from kt.wire.messages import MESSAGES
from kt.wire.responses import RESPONSES
from tests.support.upstreams import completion, streamed

Json = dict[str, Any]  # Any: JSON


@attrs.frozen(kw_only=True)
class Spoken:
    """How one format says things."""

    format: Format
    ask: Callable[[str], Json]
    """A request with this text."""
    answer: Callable[[str], Json]
    """A whole answer with this text."""
    stream: Callable[[Sequence[str]], bytes]
    """A streamed answer with these pieces of a text."""
    read: Callable[[Json], str]
    """The text of a whole answer."""
    read_event: Callable[[Json], str]
    """The text that an event adds."""
    is_last: Callable[[bytes], bool]
    """Whether an event's data ends a good answer."""


def event(kind: str, **fields: Any) -> bytes:
    """An event with its name, as Anthropic's and the responses API send it."""
    data = orjson.dumps({"type": kind, **fields})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


# ---- Completions


def completion_choice(text: str, finish: str | None = None) -> Json:
    """The only choice of a completion."""
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    return {"id": "cmpl-1", "object": "text_completion", "model": "m", "choices": [choice]}


def _completion_stream(pieces: Sequence[str]) -> bytes:
    values = [*map(completion_choice, pieces), completion_choice("", "stop")]
    return b"".join(b"data: " + orjson.dumps(one) + b"\n\n" for one in values) + b"data: [DONE]\n\n"


# ---- Messages


def message(text: str) -> Json:
    """An answer of the messages API."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


def text_block(pieces: Sequence[str], index: int = 0) -> bytes:
    """A block of text that opens, grows and closes."""
    block = {"type": "text", "text": ""}
    deltas = ({"type": "text_delta", "text": piece} for piece in pieces)
    return b"".join(
        [
            event("content_block_start", index=index, content_block=block),
            *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
            event("content_block_stop", index=index),
        ]
    )


def message_stream(*blocks: bytes) -> bytes:
    """Blocks between a start and a stop."""
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return b"".join(
        [
            event("message_start", message={**message(""), "content": [], "stop_reason": None}),
            event("ping"),
            *blocks,
            event("message_delta", delta=end, usage={"output_tokens": 5}),
            event("message_stop"),
        ]
    )


# ---- Responses


def output_text(text: str) -> Json:
    """A part of text."""
    return {"type": "output_text", "text": text, "annotations": []}


def item(*parts: Json) -> Json:
    """A message of the model."""
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": list(parts)}


def response(*items: Json, status: str = "completed", **more: Any) -> Json:
    """An answer of the responses API."""
    usage = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}
    head = {"id": "resp_1", "object": "response", "status": status, "model": "m"}
    return {**head, "output": list(items), "usage": usage, **more}


def response_stream(pieces: Sequence[str]) -> bytes:
    """A message with one part of text, and all that the API repeats of it."""
    text = "".join(pieces)
    whole = item(output_text(text))
    at: Json = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    kinds: list[tuple[str, Json]] = [
        ("created", {"response": response(status="in_progress")}),
        ("output_item.added", {"output_index": 0, "item": item()}),
        ("content_part.added", {**at, "part": output_text("")}),
        *(("output_text.delta", {**at, "delta": piece, "logprobs": []}) for piece in pieces),
        ("output_text.done", {**at, "text": text, "logprobs": []}),
        ("content_part.done", {**at, "part": output_text(text)}),
        ("output_item.done", {"output_index": 0, "item": whole}),
        ("completed", {"response": response(whole)}),
    ]
    return b"".join(
        event(f"response.{kind}", sequence_number=number, **fields)
        for number, (kind, fields) in enumerate(kinds)
    )


def _type(data: bytes) -> object:
    return None if data == b"[DONE]" else orjson.loads(data).get("type")


def _is_done(data: bytes) -> bool:
    return data == b"[DONE]"


SPOKEN = MappingProxyType(
    {
        "chat": Spoken(
            format=CHAT,
            ask=lambda text: {"messages": [{"role": "user", "content": text}]},
            answer=completion,
            stream=streamed,
            read=lambda value: str(value["choices"][0]["message"]["content"]),
            read_event=lambda value: value["choices"][0]["delta"].get("content") or "",
            is_last=_is_done,
        ),
        "completions": Spoken(
            format=COMPLETIONS,
            ask=lambda text: {"prompt": text},
            answer=lambda text: completion_choice(text, "stop"),
            stream=_completion_stream,
            read=lambda value: str(value["choices"][0]["text"]),
            read_event=lambda value: str(value["choices"][0]["text"]),
            is_last=_is_done,
        ),
        "messages": Spoken(
            format=MESSAGES,
            ask=lambda text: {"max_tokens": 9, "messages": [{"role": "user", "content": text}]},
            answer=message,
            stream=lambda pieces: message_stream(text_block(pieces)),
            read=lambda value: str(value["content"][0]["text"]),
            read_event=lambda value: value.get("delta", {}).get("text", ""),
            is_last=lambda data: _type(data) == "message_stop",
        ),
        "responses": Spoken(
            format=RESPONSES,
            ask=lambda text: {"input": text},
            answer=lambda text: response(item(output_text(text))),
            stream=response_stream,
            read=lambda value: str(value["output"][0]["content"][0]["text"]),
            read_event=lambda value: value.get("delta", ""),
            is_last=lambda data: _type(data) == "response.completed",
        ),
    }
)
"""The formats with streamed answers."""
