"""The shapes of the mock's answers: one text in every wire format, whole and in events.

In: a Said. Out: JSON objects and events. Never: a fault; those are `kt.testing.scripts`.
"""

import base64
import itertools
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import attrs

Json = dict[str, Any]  # Any: JSON is any shape

MORE = "more "
"""What a stream without end says again and again."""


@attrs.frozen
class Said:
    """What an answer is made of; it tells no time, so that bytes repeat."""

    number: int
    request: Json
    asked: tuple[str, ...]
    """The texts of the request."""
    text: str
    pieces: tuple[str, ...]
    """The text as it is streamed."""

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.request.get("model", "mock"))

    @property
    def tokens(self) -> tuple[int, int]:
        """Words instead of tokens: those that went in and those that come out."""
        return sum(len(text.split()) for text in self.asked), len(self.text.split())


@attrs.frozen(kw_only=True)
class Shape:
    """One wire format, as a provider speaks it."""

    asked: Callable[[Json], tuple[str, ...]]
    """The texts of a request, what its user says last at the end. Raises KeyError and its like."""
    whole: Callable[[Said], Json]
    events: Callable[[Said], Iterator[bytes]] | None = None
    """The last one ends the answer. None: nothing is streamed."""
    more: Callable[[Said], bytes] = lambda _: b""
    """An event with `MORE`."""
    failure: bytes = b""
    """The event of an answer that ends in an error."""


def text_of(content: Any) -> str:  # Any: JSON
    """The text of a message's content, its text parts joined."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or ())


def compact(data: Any) -> bytes:  # Any: JSON
    """JSON without white space."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def event(data: Json, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + compact(data) + b"\n\n"


def _typed(kind: str, **fields: Any) -> bytes:  # Any: JSON
    return event({"type": kind, **fields}, kind)


_DONE = b"data: [DONE]\n\n"
_FAILED: Mapping[str, Any] = MappingProxyType(
    {"message": "made to fail", "type": "server_error", "param": None, "code": None}
)


def _openai_usage(said: Said) -> Json:
    asked, answered = said.tokens
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }


# ---- Chats and completions


def _chat_asked(request: Json) -> tuple[str, ...]:
    messages = request["messages"]
    others = [text_of(one.get("content")) for one in messages if one.get("role") != "user"]
    return (
        *others,
        *(text_of(one.get("content")) for one in messages if one.get("role") == "user"),
    )


def _chat_envelope(said: Said, kind: str, choices: list[Json]) -> Json:
    head = {"id": f"chatcmpl-mock-{said.number}", "object": kind, "created": 0}
    return {**head, "model": said.model, "choices": choices}


def _chat_whole(said: Said) -> Json:
    message = {"role": "assistant", "content": said.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {**_chat_envelope(said, "chat.completion", [choice]), "usage": _openai_usage(said)}


def _chat_choice(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _chat_events(said: Said) -> Iterator[bytes]:
    first = _chat_choice({"role": "assistant", "content": "", "refusal": None})
    texts = (_chat_choice({"content": piece}) for piece in said.pieces)
    choices = (first, *texts, _chat_choice({}, "stop"))
    return _choice_events(said, "chat.completion.chunk", _chat_envelope, choices)


def _choice_events(
    said: Said,
    kind: str,
    envelope: Callable[[Said, str, list[Json]], Json],
    choices: tuple[Json, ...],
) -> Iterator[bytes]:
    options = said.request.get("stream_options") or {}
    with_usage = bool(options.get("include_usage"))
    extra: Json = {"usage": None} if with_usage else {}
    for choice in choices:
        yield event({**envelope(said, kind, [choice]), **extra})
    if with_usage:
        yield event({**envelope(said, kind, []), "usage": _openai_usage(said)})
    yield _DONE


def _chat_more(said: Said) -> bytes:
    choice = _chat_choice({"content": MORE})
    return event(_chat_envelope(said, "chat.completion.chunk", [choice]))


def _prompts(request: Json) -> tuple[str, ...]:
    prompt = request["prompt"]
    return (prompt,) if isinstance(prompt, str) else tuple(map(str, prompt))


def _completion_envelope(said: Said, kind: str, choices: list[Json]) -> Json:
    head = {"id": f"cmpl-mock-{said.number}", "object": kind, "created": 0}
    return {**head, "model": said.model, "choices": choices}


def _completion_choice(text: str, finish: str | None = None) -> Json:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}


def _completion_whole(said: Said) -> Json:
    choice = _completion_choice(said.text, "stop")
    return {**_completion_envelope(said, "text_completion", [choice]), "usage": _openai_usage(said)}


def _completion_events(said: Said) -> Iterator[bytes]:
    choices = (*map(_completion_choice, said.pieces), _completion_choice("", "stop"))
    return _choice_events(said, "text_completion", _completion_envelope, choices)


def _completion_more(said: Said) -> bytes:
    return event(_completion_envelope(said, "text_completion", [_completion_choice(MORE)]))


# ---- Embeddings


def _inputs(request: Json) -> tuple[str, ...]:
    given = request["input"]
    return (given,) if isinstance(given, str) else tuple(map(str, given))


def _vector(text: str, said: Said) -> Any:  # Any: numbers, or their bytes as base64
    numbers = [len(text) / 1000, sum(map(ord, text)) % 1000 / 1000, 0.5]
    if said.request.get("encoding_format") != "base64":
        return numbers
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _embeddings(said: Said) -> Json:
    data = [
        {"object": "embedding", "index": at, "embedding": _vector(text, said)}
        for at, text in enumerate(said.asked)
    ]
    asked = said.tokens[0]
    usage = {"prompt_tokens": asked, "total_tokens": asked}
    return {"object": "list", "data": data, "model": said.model, "usage": usage}


# ---- Messages


def _messages_asked(request: Json) -> tuple[str, ...]:
    return (text_of(request.get("system")), *_chat_asked(request))


def _message(said: Said, content: list[Json], reason: str | None) -> Json:
    asked, answered = said.tokens
    return {
        "id": f"msg_mock_{said.number}",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": asked, "output_tokens": answered if reason else 0},
    }


def _message_whole(said: Said) -> Json:
    return _message(said, [{"type": "text", "text": said.text}], "end_turn")


def _message_events(said: Said) -> Iterator[bytes]:
    yield _typed("message_start", message=_message(said, [], None))
    yield _typed("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _typed("ping")
    yield from map(_text_delta, said.pieces)
    yield _typed("content_block_stop", index=0)
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _typed("message_delta", delta=end, usage={"output_tokens": said.tokens[1]})
    yield _typed("message_stop")


def _text_delta(text: str) -> bytes:
    return _typed("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


# ---- Responses


def _responses_asked(request: Json) -> tuple[str, ...]:
    given = request["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    return (text_of(request.get("instructions")), *_chat_asked({"messages": items}))


def _response(said: Said, output: list[Json], status: str) -> Json:
    asked, answered = said.tokens
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + answered,
    }
    return {
        "id": f"resp_mock_{said.number}",
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": said.request.get("instructions"),
        "model": said.model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if status == "completed" else None,
    }


def _item(said: Said, status: str, *parts: Json) -> Json:
    name = f"msg_mock_{said.number}"
    head = {"id": name, "type": "message", "status": status, "role": "assistant"}
    return {**head, "content": list(parts)}


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response_whole(said: Said) -> Json:
    return _response(said, [_item(said, "completed", _part(said.text))], "completed")


def _response_events(said: Said) -> Iterator[bytes]:
    item = _item(said, "completed", _part(said.text))
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    started = _response(said, [], "in_progress")
    kinds: list[tuple[str, Json]] = [
        ("created", {"response": started}),
        ("in_progress", {"response": started}),
        ("output_item.added", {"output_index": 0, "item": _item(said, "in_progress")}),
        ("content_part.added", {**at, "part": _part("")}),
        *(("output_text.delta", {**at, "delta": piece, "logprobs": []}) for piece in said.pieces),
        ("output_text.done", {**at, "text": said.text, "logprobs": []}),
        ("content_part.done", {**at, "part": _part(said.text)}),
        ("output_item.done", {"output_index": 0, "item": item}),
        ("completed", {"response": _response_whole(said)}),
    ]
    for number, (kind, fields) in enumerate(kinds):
        yield _typed(f"response.{kind}", sequence_number=number, **fields)


def _response_more(said: Said) -> bytes:
    at = {"item_id": f"msg_mock_{said.number}", "output_index": 0, "content_index": 0}
    kind = "response.output_text.delta"
    return _typed(kind, sequence_number=9, **at, delta=MORE, logprobs=[])


def split_evenly(text: str, pieces: int) -> tuple[str, ...]:
    """The text in that many pieces (fewer where it is shorter), none of them empty."""
    count = max(1, min(pieces, len(text)))
    bounds = [len(text) * index // count for index in range(count + 1)]
    return tuple(text[start:end] for start, end in itertools.pairwise(bounds) if end > start)


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "/v1/chat/completions": Shape(
            asked=_chat_asked,
            whole=_chat_whole,
            events=_chat_events,
            more=_chat_more,
            failure=event({"error": dict(_FAILED)}),
        ),
        "/v1/completions": Shape(
            asked=_prompts,
            whole=_completion_whole,
            events=_completion_events,
            more=_completion_more,
            failure=event({"error": dict(_FAILED)}),
        ),
        "/v1/embeddings": Shape(asked=_inputs, whole=_embeddings),
        "/v1/messages": Shape(
            asked=_messages_asked,
            whole=_message_whole,
            events=_message_events,
            more=lambda _: _text_delta(MORE),
            failure=_typed("error", error={"type": "api_error", "message": "made to fail"}),
        ),
        "/v1/responses": Shape(
            asked=_responses_asked,
            whole=_response_whole,
            events=_response_events,
            more=_response_more,
            failure=_typed("error", code="server_error", message="made to fail", param=None),
        ),
    }
)
"""Path -> the shape of its answers."""
