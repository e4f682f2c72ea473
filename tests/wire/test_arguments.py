"""Complete arguments, apart from a body."""

import pytest

from kt.errors import GatewayError
from kt.policy import Edit
from kt.wire.arguments import edited_arguments, segments_of_arguments


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ('{"a@b": 1, "n": 12}', '{"[0]": 1, "n": 12}'),
        ("[12, true, null]", '["[0]", true, null]'),
        ("no document", "[0]ocument"),
    ],
)
def test_an_edit_is_made_in_place(text: str, edited: str) -> None:
    segments = segments_of_arguments(text)
    size = min(len(segments[0].text), 4)
    assert edited_arguments(text, segments, [Edit(0, 0, size, "[0]")]) == edited


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[" * 200, '"\\ud800"'])
def test_arguments_that_are_read_in_two_ways_are_a_bad_response(text: str) -> None:
    with pytest.raises(GatewayError) as caught:
        segments_of_arguments(text)
    assert caught.value.code == "bad_response"
