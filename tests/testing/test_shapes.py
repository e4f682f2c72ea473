"""One text in every shape: what the mock says is what a gateway reads in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.testing.behavior import MockSettings, choose
from kt.testing.scripts import Script, answer_script
from kt.testing.shapes import SHAPES
from kt.wire.endpoints import FORMATS
from kt.wire.json_body import parse_lenient
from kt.wire.sse import SseReader
from tests.support.formats import SPOKEN, Spoken

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
SPEAKERS = st.sampled_from(list(SPOKEN.values()))


def script_of(spoken: Spoken, text: str, *, fault: str | None = None, stream: bool) -> Script:
    settings = MockSettings(chunks=7, fault=fault)
    body = json.dumps({"model": "m", **spoken.ask(text), "stream": stream}).encode()
    behavior = choose(settings, "m", ())
    return answer_script(SHAPES[spoken.format.path], 1, body, (), behavior, settings)


def bytes_of(script: Script) -> bytes:
    return b"".join(step.data for step in script.steps)


def test_there_is_a_shape_for_every_path_that_is_judged() -> None:
    assert SHAPES.keys() == FORMATS.keys()


@given(TEXTS, SPEAKERS)
def test_a_whole_answer_says_the_text(text: str, spoken: Spoken) -> None:
    value = json.loads(bytes_of(script_of(spoken, text, stream=False)))
    assert spoken.read(value) == text
    assert [one.text for one in spoken.format.answer_segments(value)] == [text]
    assert spoken.format.usage(value) == (len(text.split()), len(text.split()))


@given(TEXTS, SPEAKERS)
def test_a_stream_says_the_text_and_ends(text: str, spoken: Spoken) -> None:
    stream = spoken.format.stream
    assert stream is not None
    reader = SseReader(2**20)
    *events, last = reader.feed(bytes_of(script_of(spoken, text, stream=True)))
    assert spoken.is_last(last.data or b"")
    chunks = [stream.read(parse_lenient(one.data or b"")) for one in events]
    grown = [delta for chunk in chunks for delta in chunk.growing]
    assert "".join(delta.text for delta in grown) == text
    assert len({delta.lane.place for delta in grown}) == 1
    assert not any(chunk.is_last for chunk in chunks)


@pytest.mark.parametrize("spoken", SPOKEN.values(), ids=lambda one: one.format.path)
def test_a_failure_in_the_middle_is_the_providers_own_error(spoken: Spoken) -> None:
    stream = spoken.format.stream
    assert stream is not None
    script = script_of(spoken, "one two three", fault="error_frame", stream=True)
    *_, last = SseReader(2**20).feed(bytes_of(script))
    assert stream.is_error(parse_lenient(last.data or b""))


def test_an_embedding_is_numbers_in_either_encoding() -> None:
    request = {"model": "m", "input": ["a", "bc"], "encoding_format": "base64"}
    shape, settings = SHAPES["/v1/embeddings"], MockSettings()
    body = json.dumps({**request, "stream": True}).encode()
    script = answer_script(shape, 1, body, (), choose(settings, "m", ()), settings)
    data = json.loads(bytes_of(script))["data"]
    assert [one["index"] for one in data] == [0, 1]
    assert all(isinstance(one["embedding"], str) for one in data)


@pytest.mark.parametrize("path", SHAPES)
def test_a_body_that_is_no_request_is_refused(path: str) -> None:
    settings = MockSettings()
    for body in (b"[]", b"{}", b"{", b'{"messages": 1, "input": 1, "prompt": 1}'):
        script = answer_script(SHAPES[path], 1, body, (), choose(settings, "m", ()), settings)
        assert script.status == 400
