"""The responses API: requests, and whole answers with their edits."""

import json
from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Surface
from kt.policy import Edit
from kt.wire.json_body import parse_lenient
from kt.wire.responses import RESPONSES
from tests.support.formats import item, output_text, response


@pytest.mark.parametrize("asked", [3, ["hi"], {"role": "user"}])
def test_input_is_a_text_or_items(asked: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        RESPONSES.check_request({"model": "m", "input": asked})
    assert caught.value.code == "invalid_shape"


@pytest.mark.parametrize("asked", [{}, {"input": None}, {"input": "hi"}, {"input": [{}]}])
def test_input_may_be_missing(asked: dict[str, Any]) -> None:
    assert RESPONSES.check_request({"model": "m", **asked})


def test_the_texts_of_a_request_have_their_surfaces() -> None:
    value = {
        "instructions": "s",
        "input": [
            {"role": "developer", "content": "d"},
            {"role": "user", "content": [{"type": "input_text", "text": "u"}]},
            {"type": "message", "role": "assistant", "content": [output_text("a")]},
            {"type": "function_call", "name": "f", "arguments": '{"to": 4}'},
            {"type": "function_call_output", "output": "r"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}]},
        ],
        "tools": [{"type": "function", "name": "n", "parameters": {"type": "object"}}],
    }
    found = [(one.surface, one.text) for one in RESPONSES.request_segments(value)]
    assert found == [
        (Surface.SYSTEM, "s"),
        (Surface.SYSTEM, "d"),
        (Surface.USER, "u"),
        (Surface.ASSISTANT, "a"),
        (Surface.USER, "f"),
        (Surface.TOOL_ARGUMENTS, "to"),
        (Surface.TOOL_ARGUMENTS, "4"),
        (Surface.TOOL_RESULT, "r"),
        (Surface.ASSISTANT, "t"),
        (Surface.TOOL_DESCRIPTION, "n"),
    ]
    assert [one.surface for one in RESPONSES.request_segments({"input": "hi"})] == [Surface.USER]


def test_an_edited_part_loses_its_log_probabilities_and_annotations() -> None:
    noted = {**output_text("a@b"), "annotations": [{"title": "x"}], "logprobs": [{"token": "a"}]}
    body = json.dumps(response(item(noted, noted))).encode()
    value = parse_lenient(body)
    segments = RESPONSES.answer_segments(value)
    at = next(index for index, one in enumerate(segments) if one.text == "a@b")
    edited = RESPONSES.edited_answer(body, value, segments, [Edit(at, 0, 3, "[X]")])
    first, second = json.loads(edited)["output"][0]["content"]
    assert first == {"type": "output_text", "text": "[X]", "annotations": [], "logprobs": []}
    assert second == noted


def test_each_part_of_an_answer_is_a_text_of_its_own() -> None:
    value = response(item(output_text("a"), output_text("b")))
    assert [one.text for one in RESPONSES.answer_segments(value)] == ["a", "b"]


def test_what_the_client_sent_is_not_read_again() -> None:
    sent = {"instructions": "s", "tools": [{"name": "n"}], "text": {"format": {"name": "f"}}}
    assert RESPONSES.answer_segments({**response(), **sent}) == ()
    assert RESPONSES.usage(response()) == (3, 5)
