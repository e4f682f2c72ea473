"""The mock's answers: the same text in every form and cut, and the faults that break it."""

import gzip
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.testing import scripts
from kt.testing.behavior import MockSettings, choose
from kt.testing.scripts import Script, Step, answer_script
from kt.testing.shapes import SHAPES, split_evenly

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
Recut = Callable[[Iterable[Step], int, float], Iterator[Step]]


def script_of(
    text: str, *, stream: bool = False, number: int = 1, settings: MockSettings | None = None
) -> Script:
    """The script for one user message."""
    settings = settings or MockSettings()
    request: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": text}]}
    if stream:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    body = json.dumps(request).encode()
    return answer_script(
        SHAPES["/v1/chat/completions"], number, body, (), choose(settings, "m", ()), settings
    )


def bytes_of(script: Script) -> bytes:
    """Every byte of an answer that ends."""
    return b"".join(step.data for step in script.steps)


def content_of(stream: bytes) -> str:
    """The text of a streamed answer, read as a client reads it."""
    *events, done, rest = stream.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]
    assert chunks[-1]["usage"]["total_tokens"] >= 0
    return "".join(choice["delta"].get("content", "") for choice in choices)


@given(text=TEXTS, chunks=st.integers(1, 50), size=st.none() | st.integers(1, 200))
def test_a_stream_says_what_the_whole_answer_says(text: str, chunks: int, size: int | None) -> None:
    settings = MockSettings(chunks=chunks, chunk_bytes=size)
    whole = json.loads(bytes_of(script_of(text, settings=settings)))
    assert whole["choices"][0]["message"]["content"] == text
    assert content_of(bytes_of(script_of(text, stream=True, settings=settings))) == text


def check_recut(recut: Recut) -> None:
    """The law of cutting anew: the same bytes, every piece but the last of the wanted size."""

    @given(st.lists(st.binary(min_size=1, max_size=9), max_size=9), st.integers(1, 12))
    def law(pieces: list[bytes], size: int) -> None:
        steps = [step.data for step in recut([Step(0.0, piece) for piece in pieces], size, 0.0)]
        assert b"".join(steps) == b"".join(pieces)
        assert {len(step) for step in steps[:-1]} <= {size}

    law()


def test_cutting_anew_keeps_the_bytes() -> None:
    check_recut(scripts._recut)


def test_the_law_of_cutting_finds_a_lost_tail() -> None:
    def lossy(steps: Iterable[Step], size: int, pause: float) -> Iterator[Step]:
        return (step for step in scripts._recut(steps, size, pause) if len(step.data) == size)

    with pytest.raises(AssertionError):
        check_recut(lossy)


@given(text=TEXTS, pieces=st.integers(1, 60))
def test_a_text_is_split_evenly(text: str, pieces: int) -> None:
    parts = split_evenly(text, pieces)
    assert "".join(parts) == text
    assert len(parts) == min(pieces, len(text))
    assert not parts or max(map(len, parts)) - min(map(len, parts)) <= 1


def with_fault(fault: str, **changes: Any) -> MockSettings:
    """Settings with a fault."""
    return attrs.evolve(MockSettings(fault=fault), **changes)


def test_a_cut_answer_is_a_part_of_the_whole_one() -> None:
    for stream in (False, True):
        cut = script_of("some words here", stream=stream, settings=with_fault("cut"))
        whole = bytes_of(script_of("some words here", stream=stream))
        assert cut.is_cut
        part = bytes_of(cut)
        assert whole.startswith(part)
        assert 0 < len(part) < len(whole)


def test_every_second_answer_is_cut() -> None:
    settings = with_fault("cut_every_second")
    assert [script_of("a", number=n, settings=settings).is_cut for n in (1, 2, 3, 4)] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_a_stall_waits_for_ever_after_half(stream: bool) -> None:
    *_, last = script_of("some words", stream=stream, settings=with_fault("stall")).steps
    assert last == Step(math.inf, b"")


def test_a_slow_first_byte_is_slow_by_its_value() -> None:
    first, *_ = script_of("a", settings=with_fault("slow_first_byte=3s", delay=1.0)).steps
    assert first.pause == 4.0


@pytest.mark.parametrize("stream", [False, True])
def test_malformed_json_is_no_json(stream: bool) -> None:
    data = bytes_of(script_of("a", stream=stream, settings=with_fault("malformed_json")))
    with pytest.raises(ValueError, match=r"delimiter|value|Expecting|Unterminated"):
        json.loads(data.removesuffix(b"\n\n").rsplit(b"data: ", 1)[-1])


def test_malformed_sse_has_no_event() -> None:
    assert b"data:" not in bytes_of(
        script_of("a", stream=True, settings=with_fault("malformed_sse"))
    )


def test_a_stream_may_end_without_done() -> None:
    data = bytes_of(script_of("a", stream=True, settings=with_fault("no_done")))
    assert data.endswith(b"}\n\n")
    assert b"[DONE]" not in data


def test_an_error_frame_ends_the_stream() -> None:
    data = bytes_of(script_of("a", stream=True, settings=with_fault("error_frame")))
    assert json.loads(data.rsplit(b"data: ", 1)[-1])["error"]["type"] == "server_error"


def test_never_ending_does_not_end() -> None:
    steps = script_of("a", stream=True, settings=with_fault("never_ending")).steps
    assert len(list(itertools.islice(steps, 10_000))) == 10_000


@pytest.mark.parametrize("stream", [False, True])
def test_gzip_is_said_and_done(stream: bool) -> None:
    script = script_of("a", stream=stream, settings=with_fault("gzip"))
    assert ("content-encoding", "gzip") in script.headers
    assert gzip.decompress(bytes_of(script)) == bytes_of(script_of("a", stream=stream))


@pytest.mark.parametrize(("fault", "status", "retry"), [("status", 500, 0), ("status=429", 429, 1)])
def test_a_status_is_answered(fault: str, status: int, retry: int) -> None:
    script = script_of("a", settings=with_fault(fault))
    assert script.status == status
    assert [name for name, _ in script.headers].count("retry-after") == retry


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"messages": 3}', b'{"messages": ["a"]}', b"[" * 100_000]
)
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    settings = MockSettings()
    script = answer_script(
        SHAPES["/v1/chat/completions"], 1, body, (), choose(settings, "", ()), settings
    )
    assert script.status == 400


def test_the_last_user_message_is_echoed_with_its_parts_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]
    messages = [
        {"role": "user", "content": "first"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None},
    ]
    body = json.dumps({"messages": messages}).encode()
    settings = MockSettings()
    script = answer_script(
        SHAPES["/v1/chat/completions"], 1, body, (), choose(settings, "", ()), settings
    )
    assert json.loads(bytes_of(script))["choices"][0]["message"]["content"] == "ab"


def test_the_request_and_its_headers_can_be_echoed() -> None:
    body = json.dumps({"messages": []}).encode()
    settings = MockSettings()
    for echo, expected in (("request", body.decode()), ("headers", '{"a": "b"}')):
        behavior = choose(settings, f"mock:echo={echo}", ())
        script = answer_script(
            SHAPES["/v1/chat/completions"], 1, body, (("a", "b"),), behavior, settings
        )
        assert json.loads(bytes_of(script))["choices"][0]["message"]["content"] == expected
