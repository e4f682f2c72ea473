"""What every format does alike."""

import json
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.errors import GatewayError
from kt.policy import Edit
from kt.wire.chunks import rewritten
from kt.wire.endpoints import FORMATS
from kt.wire.format import Format, StreamFormat, is_text_or_texts
from kt.wire.json_body import JsonValue, parse_strict
from kt.wire.segments import MAX_SEGMENTS, apply_edits
from kt.wire.sse import SseReader
from kt.wire.vocabulary import words
from tests.support.body_strategies import json_values
from tests.support.formats import SPOKEN, Spoken

by_path = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
by_speaker = pytest.mark.parametrize("spoken", SPOKEN.values(), ids=SPOKEN)
FORMS = st.sampled_from(list(FORMATS.values()))


@by_path
@pytest.mark.parametrize(
    "value", [None, [], {}, {"model": ""}, {"model": 3}, {"model": "m", "stream": "yes"}]
)
def test_a_request_needs_a_model_and_a_plain_stream(form: Format, value: JsonValue) -> None:
    with pytest.raises(GatewayError) as caught:
        form.check_request(value)
    assert caught.value.code == "invalid_shape"


@by_speaker
def test_a_request_says_its_model_and_whether_it_streams(spoken: Spoken) -> None:
    form = spoken.format
    value = form.check_request({"model": "m", **spoken.ask("hi"), "stream": True})
    assert (form.model_of(value), form.wants_stream(value)) == ("m", True)
    body = json.dumps({**spoken.ask("hi"), "model": "m"}).encode()
    assert form.with_model(body, "other") == body.replace(b'"m"', b'"other"')


@by_path
def test_too_many_texts_are_refused(form: Format) -> None:
    texts: JsonValue = {"unknown": ["x"] * (MAX_SEGMENTS + 1)}
    for read, code in (
        (form.request_segments, "body_too_large"),
        (form.answer_segments, "bad_response"),
    ):
        with pytest.raises(GatewayError) as caught:
            read(texts)
        assert caught.value.code == code
    if form.stream is not None:
        with pytest.raises(GatewayError) as caught:
            form.stream.read({"type": "x", "unknown": ["x"] * (MAX_SEGMENTS + 1)})
        assert caught.value.code == "bad_response"


@by_path
def test_an_error_says_its_code_and_message_and_no_text(form: Format) -> None:
    error = GatewayError("input_blocked", "no", policy="p")
    inner = form.error(error)["error"]
    assert (inner["code"], inner["message"], inner["policy"]) == ("input_blocked", "no", "p")


NAMES = st.sampled_from(
    sorted(
        words(
            """
            annotations arguments choices content content_block data delta finish_reason function
            index input item logprobs message messages model name new output output_index part
            partial_json prompt response role text tool_calls type usage
            """
        )
    )
)
LEAVES = st.sampled_from(
    sorted(
        words(
            """
            content_block_delta content_block_start input_json_delta response.output_item.added
            response.output_text.delta response.output_text.done response.completed
            response.new.delta text text_delta tool_use user hi
            """
        )
    )
)
bodies = json_values(LEAVES | st.integers(-1, 3) | st.none(), NAMES) | json_values()


def refusal_of(read: Callable[[], object]) -> str | None:
    """The code of what a reader raises; any other exception is a failure."""
    try:
        read()
    except GatewayError as error:
        return error.code
    return None


@given(FORMS, bodies)
def test_whatever_a_provider_sends_is_read_or_refused(form: Format, value: JsonValue) -> None:
    body = json.dumps(value).encode()
    refusals = {
        refusal_of(lambda: form.answer_segments(form.parse_answer(body))),
        refusal_of(lambda: form.usage(form.parse_answer(body))),
    }
    assert refusals <= {None, "bad_response"}
    if refusals != {None}:
        return
    read = form.parse_answer(body)
    segments = form.answer_segments(read)
    assert form.edited_answer(body, read, segments, ()) is body
    edits = [Edit(at, 0, len(one.text.encode()), "[X]") for at, one in enumerate(segments)]
    edited = json.loads(form.edited_answer(body, read, segments, edits))
    assert shape_of(edited) == shape_of(value)


@given(FORMS, bodies)
def test_an_edited_request_has_the_shape_that_it_had(form: Format, value: JsonValue) -> None:
    body = json.dumps(value).encode()
    refusal = refusal_of(lambda: form.request_segments(parse_strict(body)))
    assert refusal in (None, "ambiguous_json")
    if refusal is not None:
        return
    segments = form.request_segments(parse_strict(body))
    assert apply_edits(body, segments, ()) == body
    edits = [Edit(at, 0, len(one.text.encode()), "[X]") for at, one in enumerate(segments)]
    assert shape_of(json.loads(apply_edits(body, segments, edits))) == shape_of(value)


def shape_of(value: JsonValue) -> object:
    """How many members everything has, and nothing of what they are called or hold."""
    if isinstance(value, dict):
        return sorted((shape_of(below) for below in value.values()), key=repr)
    return [shape_of(below) for below in value] if isinstance(value, list) else "leaf"


STREAMS = st.sampled_from([one.stream for one in FORMATS.values() if one.stream is not None])


@given(STREAMS, bodies)
def test_whatever_event_a_provider_sends_is_read_or_refused(
    form: StreamFormat, value: JsonValue
) -> None:
    form.is_error(value)
    assert refusal_of(lambda: form.read(value)) in (None, "bad_response")


@given(STREAMS, bodies)
def test_what_grows_and_what_is_complete_is_all_that_an_event_says(
    form: StreamFormat, value: JsonValue
) -> None:
    if refusal_of(lambda: form.read(value)) is not None:
        return
    chunk = form.read(value)
    body = json.dumps(value).encode()
    assert rewritten(body, attrs.evolve(chunk, repetitions=()), {}) == body
    texts = {delta.path: "[X]" for delta in chunk.growing}
    edits = [
        Edit(at, 0, len(one.segment.text.encode()), "[X]") for at, one in enumerate(chunk.whole)
    ]
    edited = json.loads(rewritten(body, attrs.evolve(chunk, repetitions=()), texts, edits))
    assert shape_of(edited) == shape_of(value)
    assert len(texts) == len(chunk.growing)


@given(STREAMS, bodies)
def test_held_text_goes_out_in_the_lane_that_it_came_in(
    form: StreamFormat, value: JsonValue
) -> None:
    if refusal_of(lambda: form.read(value)) is not None:
        return
    for came in form.read(value).growing:
        (event,) = SseReader(10_000).feed(form.held(came, "held"))
        goes = form.read(json.loads(event.data or b""))
        assert [(one.lane.place, one.text) for one in goes.growing] == [(came.lane.place, "held")]


@pytest.mark.parametrize(
    ("value", "is_text"),
    [("", True), ([], True), (["a", ""], True), ([1], False), (None, False), ({}, False)],
)
def test_what_is_text_or_texts(value: JsonValue, is_text: bool) -> None:
    assert is_text_or_texts(value) is is_text
