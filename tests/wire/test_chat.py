"""Requests, whole answers, and the arguments of a streamed tool call."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Surface
from kt.policy import Edit
from kt.wire.arguments import edited_arguments, segments_of_arguments
from kt.wire.chat import CHAT
from kt.wire.json_body import JsonValue, parse_lenient, parse_strict
from kt.wire.segments import MAX_SEGMENTS

assert CHAT.stream is not None
CHUNKS = CHAT.stream
USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"model": "m"},
        {"model": "", "messages": [USER]},
        {"model": 1, "messages": [USER]},
        {"model": "m", "messages": []},
        {"model": "m", "messages": "hi"},
        {"model": "m", "messages": [USER, "hi"]},
        {"model": "m", "messages": [USER], "stream": "yes"},
        {"model": "m", "messages": [USER], "stream": 1},
    ],
)
def test_a_request_without_what_we_rely_on_is_refused(value: JsonValue) -> None:
    with pytest.raises(GatewayError) as caught:
        CHAT.check_request(value)
    assert caught.value.code == "invalid_shape"


@pytest.mark.parametrize(("stream", "wants"), [(None, False), (False, False), (True, True)])
def test_a_good_request_says_its_model_and_whether_it_streams(stream: Any, wants: bool) -> None:
    value = CHAT.check_request({"model": "m", "messages": [USER], "stream": stream})
    assert CHAT.model_of(value) == "m"
    assert CHAT.wants_stream(value) is wants


def test_another_model_is_put_in_place() -> None:
    body = b'{"messages":[], "metadata": {"model":"x"}, "model" : "gpt" }'
    replaced = CHAT.with_model(body, 'a"b')
    assert replaced == b'{"messages":[], "metadata": {"model":"x"}, "model" : "a\\"b" }'


def test_ambiguous_arguments_are_the_clients_or_the_providers_fault() -> None:
    message = {"tool_calls": [{"function": {"arguments": '{"a":1,"a":2}'}}]}
    with pytest.raises(GatewayError) as of_client:
        CHAT.request_segments({"messages": [message]})
    with pytest.raises(GatewayError) as of_provider:
        CHAT.answer_segments({"choices": [{"message": message}]})
    with pytest.raises(GatewayError) as of_stream:
        segments_of_arguments('{"a":1,"a":2}')
    codes = [caught.value.code for caught in (of_client, of_provider, of_stream)]
    assert codes == ["ambiguous_json", "bad_response", "bad_response"]


def test_a_body_of_countless_texts_is_refused() -> None:
    texts: JsonValue = ["x"] * (MAX_SEGMENTS + 1)
    reads: list[Callable[[], object]] = [
        lambda: CHAT.request_segments(texts),
        lambda: CHAT.answer_segments(texts),
        lambda: segments_of_arguments(json.dumps(texts)),
        lambda: CHUNKS.read({"new": texts}),
    ]
    refusals = []
    for read in reads:
        with pytest.raises(GatewayError) as caught:
            read()
        refusals.append(caught.value.code)
    assert refusals == ["body_too_large", "bad_response", "bad_response", "bad_response"]


def answer(*choices: dict[str, Any]) -> bytes:
    return json.dumps({"id": "x", "choices": list(choices), "usage": None}).encode()


def test_an_edited_choice_loses_its_log_probabilities_and_annotations() -> None:
    noted = {
        "message": {"content": "a@b", "annotations": [{"url_citation": {"title": "a@b"}}]},
        "logprobs": {"content": [{"token": "a@b"}]},
    }
    body = answer(noted, {"message": {"content": "ok"}, "logprobs": {"content": []}}, noted)
    value = parse_lenient(body)
    segments = CHAT.answer_segments(value)
    edits = [Edit(index, 0, 3, "[X]") for index, one in enumerate(segments) if "@" in one.text][:2]
    first, second, third = json.loads(CHAT.edited_answer(body, value, segments, edits))["choices"]
    assert first == {"message": {"content": "[X]", "annotations": []}, "logprobs": None}
    assert second["logprobs"] == {"content": []}
    assert third == noted


def test_an_answer_without_edits_keeps_its_bytes() -> None:
    body = answer({"message": {"content": "a"}, "logprobs": {"content": []}})
    value = parse_lenient(body)
    assert CHAT.edited_answer(body, value, CHAT.answer_segments(value), ()) is body


def test_an_edit_outside_the_choices_is_made_too() -> None:
    body = b'{"choices": null, "note": "a@b"}'
    value = parse_lenient(body)
    segments = CHAT.answer_segments(value)
    edit = Edit(len(segments) - 1, 0, 3, "[X]")
    edited = CHAT.edited_answer(body, value, segments, [edit])
    assert edited == b'{"choices": null, "note": "[X]"}'


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 5}, (3, 5)),
        ({"prompt_tokens": True}, (None, None)),
        (None, (None, None)),
        ([], (None, None)),
    ],
)
def test_usage_is_what_the_provider_says(usage: Any, counts: tuple[int | None, ...]) -> None:
    assert CHAT.usage({"usage": usage}) == counts
    assert CHAT.usage(None) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "edited"),
    [
        ('{"to": "a\\u0040b"}', '{"to": "[X]"}'),
        ('"a@b"', '"[X]"'),
        ("mail a@b", "mail [X]"),
        ('{"a@b": 1}', '{"[X]": 1}'),
    ],
)
def test_complete_arguments_are_read_decoded_and_edited_in_place(
    arguments: str, edited: str
) -> None:
    segments = segments_of_arguments(arguments)
    assert {segment.surface for segment in segments} == {Surface.TOOL_ARGUMENTS}
    edits = [
        Edit(index, one.text.index("a@b"), one.text.index("a@b") + 3, "[X]")
        for index, one in enumerate(segments)
        if "a@b" in one.text
    ]
    assert edited_arguments(arguments, segments, edits) == edited
    assert edited_arguments(arguments, segments, ()) == arguments


def test_a_request_is_read_as_it_is_forwarded() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"a\\u0040b"}]}'
    (_, content) = CHAT.request_segments(parse_strict(body))
    assert (content.text, content.surface) == ("a@b", Surface.USER)
