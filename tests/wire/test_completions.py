"""Completions: prompts of text and of token numbers, edited choices."""

import json
from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Surface
from kt.policy import Edit
from kt.wire.completions import COMPLETIONS
from kt.wire.json_body import parse_lenient


def test_a_request_needs_a_prompt() -> None:
    with pytest.raises(GatewayError) as caught:
        COMPLETIONS.check_request({"model": "m"})
    assert caught.value.code == "invalid_shape"


@pytest.mark.parametrize(
    ("prompt", "is_all_text"),
    [
        ("hi", True),
        (["hi", "ho"], True),
        (None, True),
        ([], True),
        ([1, 2], False),
        ([[1], [2]], False),
        (["hi", 3], False),
        ({"text": "hi"}, False),
        (7, False),
    ],
)
def test_token_numbers_are_no_text(prompt: Any, is_all_text: bool) -> None:
    value = COMPLETIONS.check_request({"model": "m", "prompt": prompt})
    assert COMPLETIONS.is_all_text(value) is is_all_text


def test_each_prompt_and_each_choice_is_a_text_of_its_own() -> None:
    asked = COMPLETIONS.request_segments({"prompt": ["a", "b"], "suffix": "c"})
    assert [(one.surface, one.text) for one in asked] == [(Surface.PROMPT, one) for one in "abc"]
    answer = {"choices": [{"index": 0, "text": "a"}, {"index": 1, "text": "b"}]}
    assert [one.text for one in COMPLETIONS.answer_segments(answer)] == ["a", "b"]


def test_an_edited_choice_loses_its_log_probabilities() -> None:
    choice = {"text": "a@b", "logprobs": {"tokens": ["a@b"], "text_offset": [0]}}
    body = json.dumps({"choices": [choice, choice]}).encode()
    value = parse_lenient(body)
    segments = COMPLETIONS.answer_segments(value)
    edited = json.loads(COMPLETIONS.edited_answer(body, value, segments, [Edit(1, 0, 3, "[X]")]))
    assert edited["choices"] == [choice, {"text": "[X]", "logprobs": None}]
