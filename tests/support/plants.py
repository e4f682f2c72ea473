"""A text planted on every surface of every format: requests, whole answers and streams.

In: path and surface. Out: a body, or the events of a stream, with the text there and nowhere else.
Written by hand after the public APIs, so that a test trusts no table of ours.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from kt.exchange import Surface
from tests.support.formats import (
    completion_choice,
    event,
    item,
    message,
    message_stream,
    output_text,
    response,
)
from tests.support.upstreams import chunk, completion

Json = dict[str, Any]  # Any: JSON
Planted = Mapping[tuple[str, Surface], Json]

TOKEN = "forbidden"
CHAT, COMPLETIONS, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"

ARGUMENTS = f'{{"a":"{TOKEN}"}}'
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": ARGUMENTS}}
USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "description": TOKEN}}
RESULT = {"type": "tool_result", "tool_use_id": "1", "content": TOKEN}
USE = {"type": "tool_use", "id": "1", "name": "f", "input": {"a": TOKEN}}
SERVED = {"type": "web_fetch_tool_result", "tool_use_id": "1", "content": {"title": TOKEN}}


def _messages(*messages: Json, **more: Any) -> Json:
    return {"max_tokens": 9, "messages": list(messages), **more}


def _item(kind: str, **fields: Any) -> Json:
    return {"type": kind, "call_id": "1", **fields}


REQUESTS: Planted = MappingProxyType(
    {
        (CHAT, Surface.SYSTEM): {"messages": [{"role": "system", "content": TOKEN}, USER]},
        (CHAT, Surface.USER): {"messages": [{"role": "user", "content": TOKEN}]},
        (CHAT, Surface.ASSISTANT): {"messages": [{"role": "assistant", "content": TOKEN}, USER]},
        (CHAT, Surface.TOOL_RESULT): {
            "messages": [USER, {"role": "tool", "tool_call_id": "1", "content": TOKEN}]
        },
        (CHAT, Surface.TOOL_ARGUMENTS): {
            "messages": [{"role": "assistant", "tool_calls": [CALL]}, USER]
        },
        (CHAT, Surface.TOOL_DESCRIPTION): {"messages": [USER], "tools": [TOOL]},
        (CHAT, Surface.OTHER): {"messages": [USER], "metadata": {"note": TOKEN}},
        (COMPLETIONS, Surface.PROMPT): {"prompt": TOKEN},
        (COMPLETIONS, Surface.OTHER): {"prompt": "hi", "user": TOKEN},
        (EMBEDDINGS, Surface.EMBEDDING_INPUT): {"input": ["hi", TOKEN]},
        (EMBEDDINGS, Surface.OTHER): {"input": "hi", "user": TOKEN},
        (RESPONSES, Surface.SYSTEM): {"input": "hi", "instructions": TOKEN},
        (RESPONSES, Surface.USER): {"input": TOKEN},
        (RESPONSES, Surface.ASSISTANT): {"input": [{"role": "assistant", "content": TOKEN}]},
        (RESPONSES, Surface.TOOL_RESULT): {"input": [_item("function_call_output", output=TOKEN)]},
        (RESPONSES, Surface.TOOL_ARGUMENTS): {
            "input": [_item("function_call", name="f", arguments=ARGUMENTS)]
        },
        (RESPONSES, Surface.TOOL_DESCRIPTION): {
            "input": "hi",
            "tools": [{"type": "function", "name": "f", "description": TOKEN}],
        },
        (RESPONSES, Surface.PROMPT): {"prompt": {"id": TOKEN}},
        (RESPONSES, Surface.OTHER): {"input": "hi", "metadata": {"note": TOKEN}},
        (MESSAGES, Surface.SYSTEM): _messages(USER, system=TOKEN),
        (MESSAGES, Surface.USER): _messages({"role": "user", "content": TOKEN}),
        (MESSAGES, Surface.ASSISTANT): _messages(USER, {"role": "assistant", "content": TOKEN}),
        (MESSAGES, Surface.TOOL_RESULT): _messages({"role": "user", "content": [RESULT]}),
        (MESSAGES, Surface.TOOL_ARGUMENTS): _messages({"role": "assistant", "content": [USE]}),
        (MESSAGES, Surface.TOOL_DESCRIPTION): _messages(
            USER, tools=[{"name": "f", "description": TOKEN, "input_schema": {}}]
        ),
        (MESSAGES, Surface.OTHER): _messages(USER, metadata={"user_id": TOKEN}),
    }
)

_CHAT_MESSAGES: Mapping[Surface, Json] = MappingProxyType(
    {
        Surface.CONTENT: {"content": TOKEN},
        Surface.REFUSAL: {"refusal": TOKEN},
        Surface.REASONING: {"reasoning_content": TOKEN},
        Surface.TOOL_ARGUMENTS: {"tool_calls": [{"index": 0, **CALL}]},
        Surface.OTHER: {"unheard_of": TOKEN},
    }
)
_ITEMS: Mapping[Surface, Json] = MappingProxyType(
    {
        Surface.CONTENT: item(output_text(TOKEN)),
        Surface.REFUSAL: item({"type": "refusal", "refusal": TOKEN}),
        Surface.REASONING: {
            "type": "reasoning",
            "id": "1",
            "summary": [{"type": "summary_text", "text": TOKEN}],
        },
        Surface.TOOL_ARGUMENTS: _item("function_call", name="f", arguments=ARGUMENTS),
        Surface.TOOL_RESULT: _item("function_call_output", output=TOKEN),
        Surface.OTHER: {**item(), "unheard_of": TOKEN},
    }
)
_BLOCKS: Mapping[Surface, Json] = MappingProxyType(
    {
        Surface.CONTENT: {"type": "text", "text": TOKEN},
        Surface.REASONING: {"type": "thinking", "thinking": TOKEN, "signature": ""},
        Surface.TOOL_ARGUMENTS: USE,
        Surface.TOOL_RESULT: SERVED,
        Surface.OTHER: {"type": "unheard_of", "unheard_of": TOKEN},
    }
)

ANSWERS: Planted = MappingProxyType(
    {
        **{(CHAT, at): completion("", **body) for at, body in _CHAT_MESSAGES.items()},
        (COMPLETIONS, Surface.CONTENT): completion_choice(TOKEN, "stop"),
        (COMPLETIONS, Surface.OTHER): {**completion_choice("", "stop"), "unheard_of": TOKEN},
        (EMBEDDINGS, Surface.OTHER): {"object": "list", "data": [], "unheard_of": TOKEN},
        **{(RESPONSES, at): response(body) for at, body in _ITEMS.items()},
        **{(MESSAGES, at): {**message(""), "content": [body]} for at, body in _BLOCKS.items()},
    }
)


def _data(*values: Json) -> list[bytes]:
    return [b"data: " + orjson.dumps(value) + b"\n\n" for value in values]


DONE = b"data: [DONE]\n\n"


def _chat_stream(delta: Json) -> list[bytes]:
    return [chunk({"role": "assistant", **delta}), chunk({}, finish="stop"), DONE]


def _grown(delta: str, part: Json | None = None) -> list[bytes]:
    """What grows in the responses API: an item that opens, a piece, and the end."""
    at: Json = {"item_id": "1", "output_index": 0, "content_index": 0, "summary_index": 0}
    return [
        event("response.created", response=response(status="in_progress")),
        event(f"response.{delta}", **at, delta=ARGUMENTS if part is None else TOKEN),
        event("response.completed", response=response()),
    ]


def _block(kind: str, block: Json, **delta: str) -> list[bytes]:
    """What grows in the messages API: a block that opens, a piece, and the end."""
    grown = (
        event("content_block_start", index=0, content_block=block),
        event("content_block_delta", index=0, delta={"type": kind, **delta}),
        event("content_block_stop", index=0),
    )
    return [message_stream(b"".join(grown))]


def _whole_block(block: Json) -> list[bytes]:
    start = event("content_block_start", index=0, content_block=block)
    return [message_stream(start + event("content_block_stop", index=0))]


STREAMS: Mapping[tuple[str, Surface], list[bytes]] = MappingProxyType(
    {
        **{(CHAT, at): _chat_stream(delta) for at, delta in _CHAT_MESSAGES.items()},
        (COMPLETIONS, Surface.CONTENT): [
            *_data(completion_choice(TOKEN), completion_choice("", "stop")),
            DONE,
        ],
        (COMPLETIONS, Surface.OTHER): [
            *_data({**completion_choice("", "stop"), "unheard_of": TOKEN}),
            DONE,
        ],
        (RESPONSES, Surface.CONTENT): _grown("output_text.delta", {}),
        (RESPONSES, Surface.REFUSAL): _grown("refusal.delta", {}),
        (RESPONSES, Surface.REASONING): _grown("reasoning_summary_text.delta", {}),
        (RESPONSES, Surface.TOOL_ARGUMENTS): _grown("function_call_arguments.delta"),
        **{
            (RESPONSES, at): [
                event("response.output_item.done", output_index=0, item=_ITEMS[at]),
                event("response.completed", response=response()),
            ]
            for at in (Surface.TOOL_RESULT, Surface.OTHER)
        },
        (MESSAGES, Surface.CONTENT): _block("text_delta", {"type": "text", "text": ""}, text=TOKEN),
        (MESSAGES, Surface.REASONING): _block(
            "thinking_delta", {"type": "thinking", "thinking": ""}, thinking=TOKEN
        ),
        (MESSAGES, Surface.TOOL_ARGUMENTS): _block(
            "input_json_delta", {**USE, "input": {}}, partial_json=ARGUMENTS
        ),
        (MESSAGES, Surface.TOOL_RESULT): _whole_block(SERVED),
        (MESSAGES, Surface.OTHER): _whole_block(_BLOCKS[Surface.OTHER]),
    }
)
