"""Embeddings: inputs of text and of token numbers, and answers that are numbers."""

from typing import Any

import pytest

from kt.errors import GatewayError
from kt.exchange import Surface
from kt.wire.embeddings import EMBEDDINGS


@pytest.mark.parametrize("more", [{}, {"input": None}, {"input": "x", "stream": True}])
def test_a_request_needs_an_input_and_streams_nothing(more: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as caught:
        EMBEDDINGS.check_request({"model": "m", **more})
    assert caught.value.code == "invalid_shape"


@pytest.mark.parametrize(
    ("given", "is_all_text"),
    [("hi", True), (["hi", "ho"], True), ([1, 2], False), ([[1], [2]], False), (["hi", 3], False)],
)
def test_token_numbers_are_no_text(given: Any, is_all_text: bool) -> None:
    value = EMBEDDINGS.check_request({"model": "m", "input": given})
    assert EMBEDDINGS.is_all_text(value) is is_all_text


def test_inputs_are_texts_and_vectors_are_none() -> None:
    asked = EMBEDDINGS.request_segments({"model": "m", "input": ["a", "b"]})
    found = [(one.surface, one.text) for one in asked]
    assert found == [
        (Surface.OTHER, "m"),
        (Surface.EMBEDDING_INPUT, "a"),
        (Surface.EMBEDDING_INPUT, "b"),
    ]
    vectors = [{"object": "embedding", "embedding": one} for one in ([0.5, 1.0], "QUJD" * 20)]
    answer = {"object": "list", "data": vectors, "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    assert EMBEDDINGS.answer_segments(answer) == ()
    assert EMBEDDINGS.usage(answer) == (3, None)
    assert [one.text for one in EMBEDDINGS.answer_segments({"data": [{"embedding": "a@b"}]})] == [
        "a@b"
    ]
