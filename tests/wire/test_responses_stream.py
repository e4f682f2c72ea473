"""Events of the responses API: what grows, what repeats, what ends."""

import json
from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Surface
from kt.wire.chunks import rewritten
from kt.wire.json_body import JsonValue
from kt.wire.responses_stream import error_event, held_event, is_error, read_event
from tests.support.formats import item, output_text, response

Json = dict[str, Any]  # Any: JSON
AT = {"item_id": "i", "output_index": 2, "content_index": 1}
CALL = {"id": "i", "type": "function_call", "name": "mail", "call_id": "c"}


def event(kind: str, **fields: Any) -> Json:
    return {"type": f"response.{kind}", "sequence_number": 7, **fields}


def place(value: JsonValue) -> tuple[int, str]:
    (delta,) = read_event(value).growing
    return delta.lane.place


def repeated(value: JsonValue) -> list[object]:
    return [one.repeats for one in read_event(value).whole]


TEXT = event("output_text.delta", **AT, delta="x")
ARGUMENTS = event("function_call_arguments.delta", item_id="i", output_index=2, delta="x")
SUMMARY = event(
    "reasoning_summary_text.delta", item_id="i", output_index=2, summary_index=0, delta="x"
)


@pytest.mark.parametrize(
    ("value", "surface"),
    [
        (TEXT, Surface.CONTENT),
        (ARGUMENTS, Surface.TOOL_ARGUMENTS),
        (SUMMARY, Surface.REASONING),
        (event("refusal.delta", **AT, delta="x"), Surface.REFUSAL),
        (event("reasoning_text.delta", **AT, delta="x"), Surface.REASONING),
        (event("mcp_call_arguments.delta", output_index=2, delta="x"), Surface.TOOL_ARGUMENTS),
        (event("custom_tool_call_input.delta", output_index=2, delta="x"), Surface.OTHER),
        (event("code_interpreter_call_code.delta", output_index=2, delta="x"), Surface.OTHER),
        (event("something_new.delta", output_index=2, delta="x"), Surface.OTHER),
    ],
)
def test_a_delta_grows_in_the_lane_of_its_place(value: Json, surface: Surface) -> None:
    (delta,) = read_event(value).growing
    assert (delta.lane.choice, delta.lane.surface, delta.text) == (2, surface, "x")
    # The name of an event that nobody knows is read too, so that it is sent without its text.
    assert read_event(value).is_only_text is ("new" not in value["type"])
    assert read_event(value).number == 7


def test_other_places_are_other_lanes() -> None:
    others = [
        TEXT,
        {**TEXT, "output_index": 0},
        {**TEXT, "content_index": 0},
        {**TEXT, "type": "response.refusal.delta"},
        ARGUMENTS,
        SUMMARY,
        {**TEXT, "type": "response.new.delta"},
        {**TEXT, "type": "response.new.delta", "delta": {"stdout": "x"}},
    ]
    assert len({place(one) for one in others}) == len(others)


@pytest.mark.parametrize(
    ("delta", "done"),
    [
        (TEXT, event("output_text.done", **AT, text="whole")),
        (ARGUMENTS, event("function_call_arguments.done", output_index=2, arguments="whole")),
        (
            SUMMARY,
            event("reasoning_summary_text.done", output_index=2, summary_index=0, text="whole"),
        ),
        (
            event("custom_tool_call_input.delta", output_index=2, delta="x"),
            event("custom_tool_call_input.done", output_index=2, input="whole"),
        ),
    ],
)
def test_what_is_done_ends_its_lane_and_repeats_it(delta: Json, done: Json) -> None:
    lane = place(delta)
    assert read_event(done).ended == (lane,)
    assert repeated(done) == [lane]
    assert read_event(done).growing == ()


def test_parts_items_and_the_answer_repeat_the_same_lane() -> None:
    lane = place(TEXT)
    message = item(output_text(""), output_text("whole"))
    answer = response(item(), item(), message)
    for value in (
        event("content_part.done", **AT, part=output_text("whole")),
        event("output_item.done", output_index=2, item=message),
        event("completed", response=answer),
    ):
        assert repeated(value) == [lane]
    assert lane in read_event(event("content_part.done", **AT, part=output_text("w"))).ended
    assert read_event(event("output_item.done", output_index=2, item=message)).finished == (2,)


def test_arguments_are_read_decoded_where_they_are_complete() -> None:
    call = {**CALL, "arguments": '{"to": "a\\u0040b"}'}
    chunk = read_event(event("output_item.done", output_index=2, item=call))
    assert [one.segment.text for one in chunk.whole] == ["mail", "to", "a@b"]
    assert {one.repeats for one in chunk.whole[1:]} == {place(ARGUMENTS)}


@pytest.mark.parametrize(
    ("opened", "delta"),
    [
        (event("content_part.added", **AT, part=output_text("x")), TEXT),
        (event("output_item.added", output_index=2, item={**CALL, "arguments": "x"}), ARGUMENTS),
        (
            event(
                "output_item.added", output_index=2, item=item(output_text(""), output_text("x"))
            ),
            TEXT,
        ),
        (
            event(
                "output_item.added",
                output_index=2,
                item={
                    "type": "reasoning",
                    "id": "i",
                    "summary": [{"type": "summary_text", "text": "x"}],
                },
            ),
            SUMMARY,
        ),
    ],
)
def test_what_opens_a_part_or_item_is_the_beginning_of_its_text(opened: Json, delta: Json) -> None:
    (came,) = (one for one in read_event(opened).growing)
    assert came.lane.place == place(delta)
    data = data_of(held_event(came, "held"))
    assert data == {**delta, "item_id": data["item_id"], "delta": "held"}


@pytest.mark.parametrize("value", [TEXT, ARGUMENTS, SUMMARY])
def test_held_text_goes_out_as_its_lane_came(value: Json) -> None:
    (came,) = read_event(value).growing
    assert data_of(held_event(came, "held")) == {**value, "delta": "held"}


def test_held_text_of_an_object_goes_out_in_one() -> None:
    value = event("shell_call_output_content.delta", output_index=0, delta={"stdout": "x"})
    (came,) = read_event(value).growing
    assert data_of(held_event(came, "held"))["delta"] == {"stdout": "held"}


@pytest.mark.parametrize("kind", ["completed", "failed", "incomplete"])
def test_an_answer_ends_in_one_of_three_ways(kind: str) -> None:
    chunk = read_event(event(kind, response=response()))
    assert (chunk.is_end, chunk.is_last, chunk.usage) == (True, True, (3, 5))
    assert chunk.is_failure is (kind == "failed")


def test_where_rules_act_repetitions_go() -> None:
    part = {**output_text("a@b"), "annotations": [{"title": "a@b"}], "logprobs": [{"token": "a"}]}
    value = event("content_part.done", **AT, part=part)
    data = json.dumps(value).encode()
    read = read_event(value)
    assert [one.segment.text for one in read.whole] == ["a@b"]
    said = json.loads(rewritten(data, read, {}))["part"]
    assert (said["annotations"], said["logprobs"]) == ([], [])
    assert read_event(
        event("output_text.annotation.added", annotation={"title": "x"})
    ).is_repetition
    answer = response(item(part))
    paths = [path for path, _ in read_event(event("completed", response=answer)).repetitions]
    assert paths == [
        ("response", "output", 0, "content", 0, "logprobs"),
        ("response", "output", 0, "content", 0, "annotations"),
    ]


def test_what_the_client_sent_is_not_read_again() -> None:
    sent = {"instructions": "a@b", "tools": [{"name": "a@b"}], "metadata": {"k": "a@b"}}
    chunk = read_event(event("created", response=response(status="in_progress", **sent)))
    assert (chunk.whole, chunk.growing) == ((), ())


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"type": 1},
        {**TEXT, "output_index": "0"},
        {**TEXT, "content_index": -1},
        event("function_call_arguments.done", output_index=0, arguments='{"a":1,"a":2}'),
    ],
)
def test_an_event_that_is_none_is_a_bad_response(value: JsonValue) -> None:
    with pytest.raises(GatewayError) as caught:
        read_event(value)
    assert caught.value.code == "bad_response"


def test_an_error_is_told_in_both_envelopes() -> None:
    error = GatewayError("output_blocked", "no", policy="p")
    said = data_of(error_event(error, 8))
    assert {**said, "error": None} == {
        "type": "error",
        "code": "output_blocked",
        "message": "no",
        "param": None,
        "sequence_number": 8,
        "error": None,
    }
    assert said["error"] == error.body()["error"]
    assert is_error(said)
    assert not is_error(TEXT)


def data_of(event_: bytes) -> Json:
    head, data, *rest = event_.decode().split("\n")
    value: Json = json.loads(data.removeprefix("data: "))
    assert (head, rest) == (f"event: {value['type']}", ["", ""])
    return value
