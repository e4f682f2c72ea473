"""Chunks of a streamed answer."""

import json
from typing import Any

import pytest

from kt.errors import GatewayError, HouseBug
from kt.exchange import Lane, Surface
from kt.wire.chat_stream import (
    WHOLE,
    Chunk,
    error_frame,
    held_chunk,
    is_error,
    read_chunk,
    rewrite_chunk,
)
from kt.wire.json_body import JsonValue


def chunk(
    delta: dict[str, Any], *, index: int = 0, finish: str | None = None, **fields: Any
) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **fields}


def lanes(value: JsonValue) -> list[tuple[int, Surface, str]]:
    deltas = read_chunk(value).deltas
    return [(delta.lane.choice, delta.lane.surface, delta.text) for delta in deltas]


def test_every_growing_text_has_a_lane_of_its_own() -> None:
    calls = [
        {"index": 3, "id": "call_1", "type": "function", "function": {"arguments": "{"}},
        {"index": 4, "function": {"arguments": "["}},
    ]
    delta = {"role": "assistant", "content": "c", "refusal": "r", "reasoning_content": "w"}
    value = chunk({**delta, "tool_calls": calls, "new": "n"}, index=2)
    found = [one for one in lanes(value) if one[0] != WHOLE]
    assert found == [
        (2, Surface.CONTENT, "c"),
        (2, Surface.REFUSAL, "r"),
        (2, Surface.REASONING, "w"),
        (2, Surface.TOOL_ARGUMENTS, "{"),
        (2, Surface.TOOL_ARGUMENTS, "["),
        (2, Surface.OTHER, "n"),
    ]
    growing = {delta.lane for delta in read_chunk(value).deltas if not delta.is_whole}
    assert len(growing) == 6


def test_a_tool_call_keeps_its_lane_wherever_it_is_listed() -> None:
    def lane(*calls: dict[str, Any]) -> Lane:
        return read_chunk(chunk({"tool_calls": list(calls)})).deltas[-1].lane

    call = {"index": 1, "function": {"arguments": "x"}}
    assert lane(call) == lane({"index": 0}, call)
    assert lane(call) != lane({"index": 0, "function": {"arguments": "x"}})


def test_what_stands_outside_the_choices_is_complete_in_its_event() -> None:
    call = {"index": 0, "function": {"name": "look_up"}}
    value = chunk({"tool_calls": [call]}, citations=["https://host"])
    assert lanes(value) == [
        (WHOLE, Surface.OTHER, "look_up"),
        (WHOLE, Surface.OTHER, "citations"),
        (WHOLE, Surface.OTHER, "https://host"),
    ]


def test_a_chunk_says_which_choices_end_and_whether_it_counts_tokens() -> None:
    assert read_chunk(chunk({}, index=1, finish="stop")).finished == (1,)
    usage: JsonValue = {"choices": [], "usage": {"total_tokens": 3}}
    assert read_chunk(usage) == Chunk(has_usage=True)
    assert read_chunk({"choices": None, "usage": None}) == Chunk()


@pytest.mark.parametrize(
    ("value", "is_only_text"),
    [
        (chunk({"content": "x"}), True),
        (chunk({"content": "x"}, usage=None), True),
        (chunk({"content": "x", "refusal": None}), True),
        (chunk({"tool_calls": [{"index": 1, "function": {"arguments": "x"}}]}), True),
        (chunk({"role": "assistant", "content": "x"}), False),
        (chunk({"role": "assistant", "content": ""}), False),
        (chunk({"content": "x"}, finish="stop"), False),
        (chunk({"content": "x"}, usage={"total_tokens": 1}), False),
        (chunk({"tool_calls": [{"index": 1, "id": "c", "function": {"arguments": "x"}}]}), False),
        (chunk({}), False),
    ],
)
def test_a_chunk_is_only_text_if_nothing_is_left_without_it(
    value: JsonValue, is_only_text: bool
) -> None:
    assert read_chunk(value).is_only_text is is_only_text


def test_a_chunk_is_rewritten_in_place_without_what_repeats_it() -> None:
    data = (
        b'{"id":"c", "choices":[ {"index":0,"delta":{"content":"a@b","annotations":[{"x":1}]},'
        b'"logprobs":{"content":[{"token":"a@b"}]},"finish_reason":null} ], "x": 1.0}'
    )
    read = read_chunk(json.loads(data))
    assert read.has_logprobs
    texts = {delta.path: "[X]" for delta in read.deltas if delta.text == "a@b"}
    assert rewrite_chunk(data, read, texts) == (
        b'{"id":"c", "choices":[ {"index":0,"delta":{"content":"[X]","annotations":[]},'
        b'"logprobs":null,"finish_reason":null} ], "x": 1.0}'
    )


def test_a_chunk_with_its_own_texts_keeps_its_bytes() -> None:
    data = b'{"choices":[{"delta":{"content":"\\u0041"}}]}'
    read = read_chunk(json.loads(data))
    assert rewrite_chunk(data, read, {delta.path: delta.text for delta in read.deltas}) == data


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"refusal": "x"},
        {"reasoning_content": "x"},
        {"function_call": {"arguments": "x"}},
        {"tool_calls": [{"index": 5, "function": {"arguments": "x"}}]},
        {"reasoning_details": [{"index": 1, "text": "x"}]},
        {"unknown": {"list": [{"deep": "x"}]}},
    ],
)
def test_held_text_goes_out_in_the_lane_that_it_came_in(delta: dict[str, Any]) -> None:
    template = chunk(delta, index=3, created=7, finish="stop", usage={"total_tokens": 1})
    (came,) = (one for one in read_chunk(template).deltas if not one.is_whole)
    synthesized = json.loads(held_chunk(template, came.lane, "held"))
    read = read_chunk(synthesized)
    (goes,) = (one for one in read.deltas if not one.is_whole)
    assert (goes.lane, goes.text) == (came.lane, "held")
    assert (read.choices, read.finished, read.has_usage) == ((3,), (), False)
    assert {"id", "object", "created", "choices"} == set(synthesized)


def test_text_outside_a_delta_grows_too_and_is_held_where_it_stands() -> None:
    value: JsonValue = {"choices": [{"index": 0, "text": "x"}]}
    (delta,) = read_chunk(value).deltas
    held = json.loads(held_chunk(value, delta.lane, "y"))
    assert held["choices"] == [{"index": 0, "delta": {}, "text": "y", "finish_reason": None}]


def test_a_text_that_is_complete_in_its_event_cannot_be_held() -> None:
    with pytest.raises(HouseBug):
        held_chunk({}, Lane(WHOLE, Surface.OTHER, '["x"]'), "x")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"choices": {}},
        {"choices": ["x"]},
        *({"choices": [{"index": n}]} for n in (-1, "0")),
    ],
)
def test_an_event_that_is_no_chunk_is_a_bad_response(value: JsonValue) -> None:
    with pytest.raises(GatewayError) as caught:
        read_chunk(value)
    assert caught.value.code == "bad_response"


def test_an_error_that_carries_an_answer_is_no_error_frame() -> None:
    assert is_error({"error": {"message": "overloaded"}})
    assert is_error({"error": "overloaded", "choices": []})
    assert not is_error({"error": None, "choices": []})
    assert not is_error({"error": {}, "choices": [{"delta": {"content": "secret"}}]})
    assert not is_error([])


def test_an_error_frame_is_one_event() -> None:
    error = GatewayError("output_blocked", "no", policy="pii-detector")
    frame = error_frame(error.body())
    assert frame.startswith(b'data: {"error":{')
    assert frame.endswith(b"}\n\n")
    assert json.loads(frame.removeprefix(b"data: ")) == error.body()
