"""Events of streamed chats and completions."""

import json
from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Lane, Surface
from kt.wire.chat_tables import CHUNK
from kt.wire.choices import error_event, held_event, is_error, read_event
from kt.wire.chunks import Chunk, rewritten
from kt.wire.completions import COMPLETIONS
from kt.wire.json_body import JsonValue


def chunk(
    delta: dict[str, Any], *, index: int = 0, finish: str | None = None, **fields: Any
) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **fields}


def read_chunk(value: JsonValue) -> Chunk:
    return read_event(CHUNK, value)


def growing(value: JsonValue) -> list[tuple[int, Surface, str]]:
    deltas = read_chunk(value).growing
    return [(delta.lane.choice, delta.lane.surface, delta.text) for delta in deltas]


def held(value: JsonValue, text: str) -> Any:
    """An event with held text of the only lane of this one."""
    (delta,) = read_chunk(value).growing
    return data_of(held_event({"delta": {}}, delta, text))


def data_of(event: bytes) -> Any:
    assert event.startswith(b"data: ")
    assert event.endswith(b"\n\n")
    return json.loads(event.removeprefix(b"data: "))


def test_every_growing_text_has_a_lane_of_its_own() -> None:
    calls = [
        {"index": 3, "id": "call_1", "type": "function", "function": {"arguments": "{"}},
        {"index": 4, "function": {"arguments": "["}},
    ]
    delta = {"role": "assistant", "content": "c", "refusal": "r", "reasoning_content": "w"}
    value = chunk({**delta, "tool_calls": calls, "new": "n"}, index=2)
    assert growing(value) == [
        (2, Surface.CONTENT, "c"),
        (2, Surface.REFUSAL, "r"),
        (2, Surface.REASONING, "w"),
        (2, Surface.TOOL_ARGUMENTS, "{"),
        (2, Surface.TOOL_ARGUMENTS, "["),
        (2, Surface.OTHER, "n"),
    ]
    assert len({delta.lane.place for delta in read_chunk(value).growing}) == 6


def test_a_tool_call_keeps_its_lane_wherever_it_is_listed() -> None:
    def lane(*calls: dict[str, Any]) -> Lane:
        return read_chunk(chunk({"tool_calls": list(calls)})).growing[-1].lane

    call = {"index": 1, "function": {"arguments": "x"}}
    assert lane(call) == lane({"index": 0}, call)
    assert lane(call) != lane({"index": 0, "function": {"arguments": "x"}})


def test_what_stands_outside_the_choices_is_complete_in_its_event() -> None:
    call = {"index": 0, "function": {"name": "look_up"}}
    value = chunk({"tool_calls": [call]}, citations=["https://host"])
    texts = [one.segment.text for one in read_chunk(value).whole]
    assert (growing(value), texts) == ([], ["look_up", "citations", "https://host"])


def test_a_chunk_says_which_choices_end_and_whether_it_counts_tokens() -> None:
    assert read_chunk(chunk({}, index=1, finish="stop")).finished == (1,)
    usage: JsonValue = {"choices": [], "usage": {"total_tokens": 3}}
    assert read_chunk(usage) == Chunk(follows_all=True)
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
    texts = {delta.path: "[X]" for delta in read.growing if delta.text == "a@b"}
    assert rewritten(data, read, texts) == (
        b'{"id":"c", "choices":[ {"index":0,"delta":{"content":"[X]","annotations":[]},'
        b'"logprobs":null,"finish_reason":null} ], "x": 1.0}'
    )


def test_a_chunk_with_its_own_texts_keeps_its_bytes() -> None:
    data = b'{"choices":[{"delta":{"content":"\\u0041"}}]}'
    read = read_chunk(json.loads(data))
    assert rewritten(data, read, {delta.path: delta.text for delta in read.growing}) == data


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
    (came,) = read_chunk(template).growing
    synthesized = held(template, "held")
    read = read_chunk(synthesized)
    (goes,) = read.growing
    assert (goes.lane, goes.text) == (came.lane, "held")
    assert (goes.lane.choice, read.finished, read.follows_all) == (3, (), False)
    assert {"id", "object", "created", "choices"} == set(synthesized)


def test_text_outside_a_delta_grows_too_and_is_held_where_it_stands() -> None:
    assert held({"choices": [{"index": 0, "text": "x"}]}, "y")["choices"] == [
        {"index": 0, "delta": {}, "text": "y", "finish_reason": None}
    ]


def test_a_completion_grows_in_its_choice() -> None:
    stream = COMPLETIONS.stream
    assert stream is not None
    choice = {"text": "x", "index": 1, "logprobs": None, "finish_reason": None}
    value: JsonValue = {"id": "c", "object": "text_completion", "choices": [choice]}
    (delta,) = stream.read(value).growing
    assert (delta.lane.choice, delta.lane.surface, delta.text) == (1, Surface.CONTENT, "x")
    assert data_of(stream.held(delta, "x")) == value


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
    assert data_of(error_event(error, 7)) == error.body()
