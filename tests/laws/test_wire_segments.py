"""Laws of segments: every text is in one, and an edit of one is the edit of its text."""

import json
from collections.abc import Callable, Iterator
from itertools import count

import attrs
from hypothesis import find, given
from hypothesis import strategies as st

from kt.edits import apply
from kt.exchange import Segment
from kt.policy import Edit
from kt.wire.chat_tables import ANSWER, REQUEST
from kt.wire.json_body import JsonValue, parse_strict
from kt.wire.segments import Tables, apply_edits, segments_of
from tests.support.body_strategies import json_values

ARGUMENTS = '{"to": "\\u0061@b", "n": 12}'
names = st.sampled_from(
    [
        "content",
        "text",
        "type",
        "role",
        "tool_calls",
        "arguments",
        "logprobs",
        "choices",
        "new",
        "é",
    ]
)


def planted(value: JsonValue, numbers: Iterator[int]) -> JsonValue:
    """The value with a text of its own in every string and every key that a format may not know."""
    if isinstance(value, dict):
        return {
            (name if name in REQUEST.keys else f"{name}-{next(numbers)}"): planted(below, numbers)
            for name, below in value.items()
        }
    if isinstance(value, list):
        return [planted(below, numbers) for below in value]
    return f"text-{next(numbers)}" if isinstance(value, str) else value


def planted_texts(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        keys = [name for name in value if name not in REQUEST.keys]
        return keys + [text for below in value.values() for text in planted_texts(below)]
    if isinstance(value, list):
        return [text for below in value for text in planted_texts(below)]
    return [value] if isinstance(value, str) else []


def is_complete(value: JsonValue, tables: Tables) -> bool:
    """Whether every planted text is read exactly once."""
    seen = "\n".join(segment.text for segment in segments_of(value, tables)) + "\n"
    joined = "".join(segment.text for segment in segments_of(value, tables))
    texts = planted_texts(value)
    return all(text in seen for text in texts) and len(joined) == sum(map(len, texts))


bodies = json_values(st.just("text") | st.just(1) | st.none(), names).map(
    lambda value: planted(value, count(10**6))
)


@given(bodies)
def test_every_text_is_read_exactly_once(value: JsonValue) -> None:
    assert is_complete(value, REQUEST)


def test_the_law_of_reading_fails_for_tables_that_leave_something_out() -> None:
    blind = attrs.evolve(REQUEST, exempt=frozenset({("content", "text")}))
    missed = find(bodies, lambda value: not is_complete(value, blind))
    assert is_complete(missed, REQUEST)


parts = st.lists(st.sampled_from(["", "a@b", "é", "secret ", '"\\'])).map(
    lambda texts: [{"type": "text", "text": text} for text in texts]
)
messages = st.lists(
    st.builds(lambda content: {"role": "user", "content": content}, parts | st.just("mail a@b"))
    | st.just({"tool_calls": [{"function": {"name": "f", "arguments": ARGUMENTS}}]}),
    max_size=3,
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, tuple[Segment, ...], list[Edit]]:
    """A body, its segments and edits of some of them, at the borders of characters."""
    value = {"messages": draw(messages)}
    body = json.dumps(value, ensure_ascii=draw(st.booleans())).encode()
    segments = segments_of(parse_strict(body), REQUEST)
    edits = []
    for index in draw(st.sets(st.integers(0, len(segments) - 1))) if segments else ():
        text = segments[index].text
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        start_byte = len(text[:start].encode())
        edits.append(
            Edit(index, start_byte, start_byte + len(text[start:end].encode()), f"[{index}]")
        )
    return body, segments, edits


Case = tuple[bytes, tuple[Segment, ...], list[Edit]]
Apply = Callable[[bytes, tuple[Segment, ...], list[Edit]], bytes]


def reads_as_edited(case: Case, by: Apply = apply_edits) -> bool:
    """Whether the edited body's texts are the body's texts, edited."""
    body, segments, edits = case
    again = segments_of(parse_strict(by(body, segments, edits)), REQUEST)
    expected = [
        apply(one.text.encode(), [edit for edit in edits if edit.segment == index]).decode()
        for index, one in enumerate(segments)
    ]
    return [segment.text for segment in again] == expected


@given(edited())
def test_the_texts_of_an_edited_body_are_the_edited_texts(case: Case) -> None:
    assert reads_as_edited(case)


def test_the_law_of_edits_fails_where_only_the_first_part_is_edited() -> None:
    def first_part_only(body: bytes, segments: tuple[Segment, ...], edits: list[Edit]) -> bytes:
        cut = tuple(attrs.evolve(one, pieces=one.pieces[:1]) for one in segments)
        return apply_edits(body, cut, edits)

    broken = find(edited(), lambda case: not reads_as_edited(case, first_part_only))
    assert reads_as_edited(broken)


def test_what_is_exempt_in_an_answer_is_exempt_at_its_place_only() -> None:
    value: JsonValue = {"id": "own", "choices": [{"id": "said", "message": {"id": "said too"}}]}
    assert [segment.text for segment in segments_of(value, ANSWER)] == ["said", "said too"]
