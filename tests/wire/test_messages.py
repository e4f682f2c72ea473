"""Anthropic's messages: requests, whole answers, events, errors."""

import json
from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Lane, Surface
from kt.policy import Edit
from kt.wire.chunks import Chunk, rewritten
from kt.wire.json_body import JsonValue, parse_strict
from kt.wire.messages import MESSAGES, held_event, read_event
from tests.support.formats import message

Json = dict[str, Any]  # Any: JSON


def delta(of: Json, index: int = 0) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": of}


def start(block: Json, index: int = 0) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": block}


def lanes(value: JsonValue) -> list[tuple[Lane, str]]:
    return [(one.lane, one.text) for one in read_event(value).growing]


def whole(value: JsonValue) -> list[tuple[Surface, str]]:
    return [(one.segment.surface, one.segment.text) for one in read_event(value).whole]


# ---- Requests and whole answers


@pytest.mark.parametrize(
    "more",
    [{}, {"messages": []}, {"messages": "hi"}, {"messages": ["hi"]}, {"messages": None}],
)
def test_a_request_needs_messages(more: Json) -> None:
    with pytest.raises(GatewayError) as caught:
        MESSAGES.check_request({"model": "m", **more})
    assert caught.value.code == "invalid_shape"


def test_the_texts_of_a_request_have_their_surfaces() -> None:
    call = {"type": "tool_use", "id": "t", "name": "mail", "input": {"to": "ann", "n": 4}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"}]}
    value = {
        "system": [{"type": "text", "text": "s"}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
        "tools": [{"name": "mail", "description": "d", "input_schema": {"type": "object"}}],
    }
    found = [(one.surface, one.text) for one in MESSAGES.request_segments(value)]
    assert found == [
        (Surface.SYSTEM, "s"),
        (Surface.USER, "ab"),
        *((Surface.TOOL_ARGUMENTS, text) for text in ("t", "mail", "to", "ann", "n", "4")),
        (Surface.TOOL_RESULT, "t"),
        (Surface.TOOL_RESULT, "r"),
        (Surface.TOOL_DESCRIPTION, "mail"),
        (Surface.TOOL_DESCRIPTION, "d"),
    ]


def test_a_tools_input_is_read_and_edited_like_arguments() -> None:
    body = (
        b'{"content":[{"type":"tool_use","input":{"name":"x","n":4111.10,"ok":true,"text":"y"}}]}'
    )
    value = MESSAGES.parse_answer(body)
    segments = MESSAGES.answer_segments(value)
    assert [one.text for one in segments] == ["name", "x", "n", "4111.10", "ok", "text", "y"]
    edited = MESSAGES.edited_answer(body, value, segments, [Edit(3, 0, 7, "[N]")])
    assert edited == body.replace(b"4111.10", b'"[N]"')


def test_long_numbers_of_a_requests_input_are_read_as_written() -> None:
    call = b'{"messages":[{"content":[{"type":"tool_use","input":{"n":4111111111111111111111}}]}]}'
    texts = [one.text for one in MESSAGES.request_segments(parse_strict(call))]
    assert "4111111111111111111111" in texts


def test_plain_text_in_a_source_is_read_however_it_looks() -> None:
    data = "ignore" * 20
    for kind, texts in (("text", [data]), ("base64", [])):
        source = {"type": kind, "media_type": "text/plain", "data": data}
        value = {"messages": [{"content": [{"type": "document", "source": source}]}]}
        assert [one.text for one in MESSAGES.request_segments(value)] == texts


@pytest.mark.parametrize("body", [b"3", b"{", b"\xff", b'{"a":"\\ud800"}', b'{"a":1,"a":2}'])
def test_an_answer_that_is_read_in_two_ways_or_none_is_bad(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        MESSAGES.parse_answer(body)
    assert caught.value.code == "bad_response"


def test_the_numbers_of_tokens_are_found() -> None:
    body = json.dumps(message("hi")).encode()
    assert MESSAGES.usage(MESSAGES.parse_answer(body)) == (3, 5)
    assert MESSAGES.usage(None) == (None, None)


# ---- Events


def test_a_block_grows_in_lanes_of_its_own() -> None:
    texts = [
        (lanes(delta({"type": "text_delta", "text": "x"}, 2)), Surface.CONTENT),
        (lanes(delta({"type": "thinking_delta", "thinking": "x"}, 2)), Surface.REASONING),
        (
            lanes(delta({"type": "input_json_delta", "partial_json": "x"}, 2)),
            Surface.TOOL_ARGUMENTS,
        ),
        (lanes(delta({"type": "new_delta", "new": "x"}, 2)), Surface.OTHER),
    ]
    for found, surface in texts:
        ((lane, text),) = found
        assert (lane.choice, lane.surface, text) == (2, surface, "x")
    assert len({found[0][0].place for found, _ in texts}) == 4


@pytest.mark.parametrize("name", ["text", "thinking"])
def test_what_opens_a_block_is_the_beginning_of_its_text(name: str) -> None:
    ((first, _),) = lanes(start({"type": name, name: "x"}))
    ((second, _),) = lanes(delta({"type": f"{name}_delta", name: "y"}))
    assert first.place == second.place


def test_what_comes_in_one_piece_is_complete() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "mail", "input": {}}
    assert whole(start(call)) == [(Surface.TOOL_ARGUMENTS, "mail")]
    cited = {"type": "char_location", "cited_text": "c"}
    assert whole(delta({"type": "citations_delta", "citation": cited})) == [(Surface.OTHER, "c")]
    assert whole(delta({"type": "signature_delta", "signature": "abc"})) == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"type": "ping"}, Chunk()),
        ({"type": "content_block_stop", "index": 3}, Chunk(finished=(3,))),
        (
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 5},
            },
            Chunk(is_end=True, usage=(None, 5)),
        ),
        ({"type": "message_start", "message": message("")}, Chunk(usage=(3, 5))),
        ({"type": "message_stop"}, Chunk(is_end=True, is_last=True)),
    ],
)
def test_the_other_events_say_what_ends_and_what_it_costs(value: Json, says: Chunk) -> None:
    assert read_event(value) == says


@pytest.mark.parametrize(
    ("of", "is_only_text"),
    [
        ({"type": "text_delta", "text": "x"}, True),
        ({"type": "input_json_delta", "partial_json": "x"}, True),
        ({"type": "input_json_delta", "partial_json": ""}, False),
        ({"type": "text_delta", "text": "x", "more": 1}, False),
        ({"type": "signature_delta", "signature": "x"}, False),
    ],
)
def test_a_delta_is_only_text_if_nothing_is_left_without_it(of: Json, is_only_text: bool) -> None:
    assert read_event(delta(of)).is_only_text is is_only_text


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"type": 3},
        {"type": "content_block_delta", "index": 0, "delta": "x"},
        {"type": "content_block_stop"},
        delta({"type": "text_delta", "text": "x"}, -1),
    ],
)
def test_an_event_that_is_none_is_a_bad_response(value: JsonValue) -> None:
    with pytest.raises(GatewayError) as caught:
        read_event(value)
    assert caught.value.code == "bad_response"


@pytest.mark.parametrize(
    "value",
    [
        delta({"type": "text_delta", "text": "x"}, 4),
        delta({"type": "input_json_delta", "partial_json": "x"}),
        delta({"type": "new_delta", "a": {"b": "x"}}),
        start({"type": "thinking", "thinking": "x", "signature": ""}, 1),
    ],
)
def test_held_text_goes_out_in_the_lane_that_it_came_in(value: Json) -> None:
    (came,) = read_event(value).growing
    head, data, *_ = held_event(came, "held").decode().split("\n")
    assert head == "event: content_block_delta"
    (goes,) = read_event(json.loads(data.removeprefix("data: "))).growing
    assert (goes.lane, goes.text) == (came.lane, "held")


def test_an_event_is_rewritten_in_place() -> None:
    data = (
        b'{"type": "content_block_delta", "index": 0, "delta": {"type":"text_delta","text":"a@b"} }'
    )
    read = read_event(json.loads(data))
    texts = {one.path: "[X]" for one in read.growing}
    assert rewritten(data, read, texts) == data.replace(b"a@b", b"[X]")


# ---- Errors


def test_errors_are_in_anthropics_envelope() -> None:
    error = GatewayError("output_blocked", "no", policy="pii-detector")
    body = {
        "type": "error",
        "error": {
            "type": "policy_violation",
            "message": "no",
            "code": "output_blocked",
            "policy": "pii-detector",
        },
    }
    assert MESSAGES.error(error) == body
    stream = MESSAGES.stream
    assert stream is not None
    assert stream.error(error, 3) == b"event: error\ndata: " + _compact(body) + b"\n\n"
    assert stream.is_error(body)
    assert not stream.is_error({"type": "ping"})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_shape", "invalid_request_error"),
        ("queue_full", "rate_limit_error"),
        ("upstream_cut", "api_error"),
        ("draining", "overloaded_error"),
        ("no_target", "not_found_error"),
        ("admin_token", "authentication_error"),
    ],
)
def test_our_types_of_errors_have_anthropics_names(code: str, kind: str) -> None:
    assert MESSAGES.error(GatewayError(code, "x"))["error"]["type"] == kind


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
